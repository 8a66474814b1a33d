/** Cases about a sink's life, and about what the connector says of itself. */
import { expect } from 'chai';
import { manyChanges, suiteKey } from '../../fakes/records.ts';
import { type SinkBench, sinkCase } from './bench.ts';
import { FAULT_NAMES, type SinkCase, type SinkSuite } from './suite.ts';

export function lifeCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  return [
    sinkCase(suite, 'closes twice', closesTwice),
    sinkCase(suite, 'goes on after it was closed and opened again', opensAgain),
    sinkCase(suite, 'looks items up by key, in the order asked, if it looks up at all', looksUp),
    { title: 'refuses an option that it does not know', run: async () => refusesStrangers(suite) },
    { title: 'has traits that the pipeline can work with', run: async () => hasSoundTraits(suite) },
    { title: declaration(suite), run: () => declaresFaults(suite) },
  ];
}

async function closesTwice<Options>(bench: SinkBench<Options>): Promise<void> {
  bench.script.put(suiteKey('a'));
  await bench.deliver();
  const { sink } = bench;
  await bench.close();
  await sink.close();
  await bench.expectArrived('once');
}

async function opensAgain<Options>(bench: SinkBench<Options>): Promise<void> {
  manyChanges(bench.script, 20, 3);
  await bench.deliver(bench.script.records.slice(0, 10));
  await bench.close();
  await bench.open();
  await bench.deliver(bench.script.records.slice(10));
  await bench.expectArrived('once');
}

async function looksUp<Options>(bench: SinkBench<Options>): Promise<void> {
  const { sink, script } = bench;
  if (sink.lookup === undefined) return;
  const there = script.put(suiteKey('there'), { n: { N: '1' } });
  const gone = script.put(suiteKey('gone'));
  script.remove(suiteKey('gone'));
  await bench.deliver();
  const found = await sink.lookup([gone.key, there.key, gone.key], new AbortController().signal);
  expect(found).to.deep.equal([undefined, there.after, undefined]);
  expect(await sink.lookup([], new AbortController().signal)).to.deep.equal([]);
}

function refusesStrangers<Options>({ connector, sample }: SinkSuite<Options>): void {
  expect(connector.schema.safeParse(sample).success, 'the sample is good').to.equal(true);
  expect(connector.schema.safeParse({ ...sample, noSuchOption: 1 }).success, 'an unknown option is refused').to.equal(false);
}

function hasSoundTraits<Options>({ connector, sample }: SinkSuite<Options>): void {
  const { batch, inFlight, timeoutMs, order, oncePerKey } = connector.traits(connector.schema.parse(sample));
  expect(batch.records).to.be.within(1, 10_000);
  expect(batch.bytes).to.be.greaterThan(0);
  expect(batch.waitMs).to.be.within(0, 300_000);
  expect(inFlight).to.be.within(1, 64);
  expect(timeoutMs).to.be.greaterThan(0);
  if (order === 'partition') expect([inFlight, oncePerKey], 'everything in order: one batch at a time').to.deep.equal([1, false]);
}

function declaration<Options>({ cannot }: SinkSuite<Options>): string {
  const names = FAULT_NAMES.filter(name => cannot[name] !== undefined);
  if (names.length === 0) return 'shows every fault';
  return `cannot show: ${names.map(name => `${name} (${cannot[name]})`).join('; ')}`;
}

/** Each fault is either made or declared, never both and never neither. */
async function declaresFaults<Options>(suite: SinkSuite<Options>): Promise<void> {
  const target = await suite.target();
  try {
    for (const name of FAULT_NAMES) {
      const reason = suite.cannot[name];
      expect(target.faults?.[name] === undefined, `fault "${name}" is either made by the target or declared in \`cannot\``).to.equal(
        reason !== undefined,
      );
      if (reason !== undefined) expect(reason, `why "${name}" cannot be made`).to.match(/\w{3,}.*\w{3,}/);
    }
  } finally {
    await target.stop?.();
  }
}
