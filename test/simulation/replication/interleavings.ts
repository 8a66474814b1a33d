/**
 * All interleavings of a short run, instead of random ones: at each step everything that can happen next is tried. The process may be killed,
 * requests may be given up and land at any later moment, a scanned row may be written at any moment.
 */
import { type Adapt, openReplica } from '../../../connectors/replica/open.ts';
import { schema } from '../../../connectors/replica/options.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Item } from '../../../src/model/item.ts';
import { sameImage } from '../../../src/replication/image.ts';
import { unmarked } from '../../../src/replication/marker.ts';
import { type FakeTables, fakeTables } from '../../fakes/fake-table.ts';
import { suiteKey, TableScript } from '../../fakes/records.ts';
import { createSuiteTable } from '../../fakes/replica-suite.ts';
import { testHost } from '../../fakes/test-host.ts';
import { type VirtualClock, virtualClock } from '../../fakes/virtual-clock.ts';
import { ProcessWorld } from './process-world.ts';
import { type Dice, Wire } from './wire.ts';

/** `scan`: the row as it is then, written whenever. */
export type Told = 'put' | 'remove' | 'scan';

export interface Run {
  readonly mode: 'mirror' | 'version';
  readonly told: readonly Told[];
  /** How often the process may be killed, and a request given up. */
  readonly kills: number;
  readonly losses: number;
  readonly adapt?: Adapt;
}

/** Where nothing is left to chance: everything that may be done at once is. */
const CERTAIN: Dice = { chance: p => p >= 0.5, integer: () => 0 };
const OPTIONS = { table: 'copy', region: 'eu-west-1', versionAttribute: 'v', versionKind: 'counter' };

export interface Explored {
  readonly runs: number;
  /** The choices of the first run that ended wrong, and how. */
  readonly wrong?: string;
}

/** Runs until all is tried, or one ends wrong. */
export async function explore(run: Run): Promise<Explored> {
  const path: { taken: number; of: number }[] = [];
  for (let runs = 1; ; runs++) {
    let at = 0;
    const choose = (of: number): number => {
      const step = path[at] ?? { taken: 0, of };
      path[at++] = step;
      return step.taken;
    };
    const wrong = await new Interleaving(run, choose).go();
    if (wrong) return { runs, wrong: `${wrong} after ${path.map(step => step.taken).join(' ')}` };
    path.length = at;
    while (path.length > 0 && (path.at(-1)?.taken ?? 0) + 1 >= (path.at(-1)?.of ?? 0)) path.pop();
    const last = path.at(-1);
    if (!last) return { runs };
    last.taken += 1;
  }
}

class Interleaving {
  readonly #run: Run;
  readonly #choose: (of: number) => number;
  readonly #clock: VirtualClock = virtualClock();
  readonly #tables: FakeTables = fakeTables();
  readonly #wire: Wire;
  readonly #beside = new Set<ChangeRecord>();
  readonly #log: ChangeRecord[];
  readonly #expected: Item | undefined;
  #process: ProcessWorld | undefined;
  #owner: object = {};
  #kills: number;
  #losses: number;
  #complaint: string | undefined;

  constructor(run: Run, choose: (of: number) => number) {
    this.#run = run;
    this.#choose = choose;
    this.#kills = run.kills;
    this.#losses = run.losses;
    const watch = (land: () => Promise<unknown>) => land();
    this.#wire = new Wire({ tables: this.#tables, clock: this.#clock, random: { ...CERTAIN, chance: () => true }, watch });
    const script = new TableScript({ attributes: n => ({ v: { N: String(n) } }) });
    this.#log = run.told.flatMap(told => {
      if (told === 'put') return [script.put(suiteKey('a'))];
      if (told === 'remove') return [script.remove(suiteKey('a'))];
      const [after] = script.items.values();
      const last = script.records.at(-1);
      if (after && last) this.#beside.add({ ...last, kind: 'insert', after, source: { ...last.source, origin: 'snapshot' } });
      return [];
    });
    [this.#expected] = script.items.values();
  }

  async go(): Promise<string | undefined> {
    await createSuiteTable(this.#tables, 'copy');
    await this.#start(0);
    for (let steps = 0; !this.#rests(); steps++) {
      if (steps > 200) return 'it never came to rest';
      const possible = this.#possible();
      await possible[this.#choose(possible.length)]?.();
      await turn();
    }
    this.#losses = 0;
    for (let minutes = 0; minutes < 18; minutes++) await this.#pass();
    this.#process?.kill();
    const [item] = this.#tables.items('copy');
    const found = item && unmarked(item, '_tm');
    return this.#complaint ?? (sameImage(found, this.#expected) ? undefined : `${JSON.stringify(found)} is there`);
  }

  #rests(): boolean {
    return (this.#process?.idle ?? false) && this.#wire.waiting === 0 && this.#wire.strays === 0;
  }

  #possible(): (() => void | Promise<void>)[] {
    const wire = this.#wire;
    const each = (n: number, act: (at: number) => Promise<void>) => Array.from({ length: n }, (_, at) => () => act(at));
    const lose = (at: number) => {
      this.#losses -= 1;
      return wire.giveUp(at);
    };
    return [
      ...(this.#process?.canBegin ? [() => this.#process?.begin()] : []),
      ...each(wire.waiting, at => wire.deliver(at)),
      ...each(wire.strays, at => wire.landStray(at)),
      ...(this.#losses > 0 ? each(wire.waiting, lose) : []),
      ...(this.#kills > 0 && !this.#process?.idle ? [() => this.#kill()] : []),
    ];
  }

  /** What was on its way may land; the successor begins where all was saved: nowhere. */
  async #kill(): Promise<void> {
    this.#kills -= 1;
    this.#wire.abandon(this.#owner);
    this.#process?.kill();
    await this.#start(this.#clock.now() + 60_000);
  }

  async #start(replayedBefore: number): Promise<void> {
    const owner = {};
    const host = testHost({ clock: this.#clock, table: () => this.#wire.client(owner) });
    const sink = await openReplica(schema.parse({ ...OPTIONS, mode: this.#run.mode }), host, this.#run.adapt);
    this.#owner = owner;
    this.#process = new ProcessWorld({
      sink,
      log: this.#log,
      from: 0,
      replayedBefore,
      coalesces: false,
      beside: this.#beside,
      random: CERTAIN,
      largest: 1,
      complain: what => {
        this.#complaint = what instanceof Error ? what.message : JSON.stringify(what);
      },
    });
  }

  async #pass(): Promise<void> {
    await this.#clock.advance(60_000);
    while (this.#wire.waiting > 0) {
      await this.#wire.deliver(0);
      await turn();
    }
  }
}

const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
