/** What a target does with a write, by its mood. Whatever happens, it keeps the contract of a sink: what is not reported as failed is durable. */
import { type Batch, type Failed, SinkFault, type Written } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Token } from '../../../src/model/position.ts';
import type { Ms } from '../../../src/model/units.ts';
import type { Dice } from './dice.ts';
import type { Mood, SinkSketch } from './sink-sketches.ts';

/** What a mood needs to know of the target. */
interface Target {
  readonly sketch: SinkSketch;
  readonly dice: Dice;
  readonly files: Map<Token, Token>;
}

/** One write on its way. */
export interface Writing {
  readonly batch: Batch;
  /** Waits; says what ended the wait. A dead process ends every wait, and so does a closed connection. */
  wait(ms: Ms, more?: { readonly deaf?: boolean }): Promise<'done' | 'aborted' | 'closed' | 'dead'>;
  /** Makes records durable, in order. */
  land(records: readonly ChangeRecord[]): void;
}

type Behaviour = (target: Target, writing: Writing) => Promise<Written>;

const DONE: Written = { failed: [] };

export const behaviours: Readonly<Record<Mood, Behaviour>> = {
  well: (target, writing) => landsAfter(target, writing, 1 + target.dice.integer(target.sketch.latencyMs)),
  slow: (target, writing) => landsAfter(target, writing, target.dice.between(100, 4_000)),
  shut: (target, writing) => landsAfter(target, writing, 5),

  async partial(target, writing) {
    await arrives(target, writing, 5);
    if (target.sketch.kind === 'archive') return filed(target, writing);
    return landSome(target, writing, { chance: 0.2, fault: () => ({ disposition: 'retry', reason: 'not this one now' }) });
  },

  async lying(target, writing) {
    await arrives(target, writing, 5);
    filed(target, writing);
    throw new Error('the answer was lost');
  },

  async half(target, writing) {
    await arrives(target, writing, 5);
    const { records } = writing.batch;
    if (target.sketch.kind !== 'archive') writing.land(records.slice(0, target.dice.integer(records.length)));
    throw new Error('the connection broke');
  },

  async throttled(target, writing) {
    await arrives(target, writing, 5);
    throw new SinkFault('retry', 'slow down', target.dice.chance(0.5) ? { retryAfterMs: target.dice.between(10, 2_000) } : {});
  },

  async hanging(_, writing) {
    throw new Error(`no answer: ${await writing.wait(Number.POSITIVE_INFINITY)}`);
  },

  async deaf(target, writing) {
    const how = await writing.wait(target.dice.between(1_000, 75_000), { deaf: true });
    if (how === 'done' && target.dice.chance(0.5)) return filed(target, writing);
    throw new Error(`no answer: ${how}`);
  },

  undead: (_, writing) => forever(writing),
  stuck: (_, writing) => forever(writing),

  async halting(target, writing) {
    await arrives(target, writing, 5);
    throw new SinkFault('halt', 'no permission for target:Write', { heals: target.dice.chance(0.5) });
  },

  async refusing(target, writing) {
    await arrives(target, writing, 5);
    if (target.sketch.kind === 'archive') return filed(target, writing);
    return landSome(target, writing, { chance: 0.05, fault: () => ({ disposition: 'reject', reason: 'too large' }) });
  },

  async judging(target, writing) {
    await arrives(target, writing, 5);
    if (writing.batch.records.some(isPoison)) throw new SinkFault('retry', 'the batch is bad', { judged: true });
    return filed(target, writing);
  },
};

const isPoison = (record: ChangeRecord) => Number(record.token.slice(-2)) === 7;

/** It takes some time to arrive; an abort before that stops it, and of a dead process only some arrives. */
async function arrives(target: Target, writing: Writing, ms: number): Promise<void> {
  const how = await writing.wait(1 + target.dice.integer(ms));
  if (how === 'done') return;
  if (how !== 'closed' && target.dice.chance(0.4)) filed(target, writing);
  throw new Error(`no answer: ${how}`);
}

async function landsAfter(target: Target, writing: Writing, ms: number): Promise<Written> {
  await arrives(target, writing, ms);
  const written = filed(target, writing);
  const some = target.sketch.kind === 'plain' && target.dice.chance(0.1);
  return some ? { ...written, superseded: target.dice.integer(writing.batch.records.length + 1) } : written;
}

/** Durable as a whole. An archive makes a file once, and says how far the one goes that is there. */
function filed(target: Target, { batch, land }: Writing): Written {
  const { records } = batch;
  const [first, last] = [records[0]?.token, records.at(-1)?.token];
  if (target.sketch.kind === 'plain' || first === undefined || last === undefined) {
    land(records);
    return DONE;
  }
  const found = target.files.get(first);
  if (found !== undefined) return { failed: [], through: found };
  target.files.set(first, last);
  land(records);
  return DONE;
}

/** Fails some records and, as the contract asks, every later one of their keys. */
function landSome(
  target: Target,
  { batch, land }: Writing,
  { chance, fault }: { chance: number; fault: () => Omit<Failed, 'index'> },
): Written {
  const failed: Failed[] = [];
  const keys = new Set<string>();
  for (const [index, record] of batch.records.entries()) {
    const key = target.sketch.traits.order === 'partition' ? '' : record.key;
    if (target.dice.chance(chance)) keys.add(key);
    if (keys.has(key)) failed.push({ index, ...fault() });
    else land([record]);
  }
  return { failed };
}

async function forever(writing: Writing): Promise<Written> {
  const how = await writing.wait(Number.POSITIVE_INFINITY, { deaf: true });
  if (how === 'dead') throw new Error('nobody hears this');
  throw new Error(`destroyed: ${how}`);
}
