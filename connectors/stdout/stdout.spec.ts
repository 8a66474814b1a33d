/** The sample connector: its contract, and what a line looks like. */
import { Writable } from 'node:stream';
import { expect } from 'chai';
import type { SinkFault } from '../../src/connector.ts';
import { describeSink } from '../../test/contract/describe-sink.ts';
import { batchOf, changeRecord, suiteKey } from '../../test/fakes/records.ts';
import stdout, { openStdout } from './index.ts';
import { lineOf } from './line.ts';

const never = new AbortController().signal;

/** A stand-in for standard output, and the lines that it took. */
function paper() {
  let text = '';
  const output = new Writable({
    write(chunk, _, done) {
      text += String(chunk);
      done();
    },
  });
  return { output, lines: () => text.split('\n').slice(0, -1) };
}

/** A line names a change by its sequence number; the builder makes event ids of these. */
const eventIdIn = (line: string): string => changeRecord({ token: line.split(' ')[1] ?? '' }).eventId;

let page = paper();

describeSink('stdout', {
  connector: { ...stdout, open: async options => openStdout(options, page.output) },
  sample: {},
  target: async () => {
    page = paper();
    return { options: {}, readBack: async () => page.lines().map(line => ({ eventId: eventIdIn(line) })) };
  },
  promises: {
    keeps: 'log',
    partialFailure: 'whole-batch',
    replay: 'duplicates',
    tombstones: false,
    exactImages: false,
    recordLimit: { none: 'a line may be of any length' },
  },
  cannot: {
    hang: 'writing to standard output is synchronous: a full pipe stops the process, not one write',
    refuse: 'standard output is there, or closed for good',
    loseAnswers: 'the system itself answers',
    throttle: 'a pipe knows only waiting',
    failRecords: 'the system takes a text, it knows of no records',
    deny: 'whoever opened it may write to it',
    remove: 'a pipe that was closed does not come back; that it halts the sink is tested below',
  },
  quietMs: 0,
});

describe('stdout', () => {
  const keys = suiteKey('o-1', 7);
  const insert = changeRecord({ n: 12, keys, kind: 'insert', after: { ...keys, total: { N: '12.50' } } });
  const line = (record: typeof insert, images = true) => lineOf(record, { images });

  it('a line says when, where, what, which item and how it is now', () => {
    const expected = '2026-01-01T00:00:01Z 100000000000000000012 orders insert {"pk":"o-1","sk":7}';
    expect(line(insert)).to.equal(`${expected} {"pk":"o-1","sk":7,"total":12.5}`);
    expect(line(insert, false)).to.equal(expected);
  });

  it('a removal shows what was there, and whether time to live did it', () => {
    const remove = changeRecord({ n: 1, keys, kind: 'remove', before: { ...keys, total: { N: '1' } } });
    expect(line(remove))
      .to.include(' remove {')
      .and.match(/"total":1}$/);
    expect(line({ ...remove, userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' } })).to.include(' expire {');
  });

  it('no item can break the line or play tricks on a terminal', () => {
    const after = { ...keys, text: { S: 'a\nb\u001b[2J\u009b2J\u202e\u2028\u0000' } };
    const text = line({ ...insert, after });
    expect(text).to.match(/^[\u0020-\u007e]*$/);
    expect(text).to.include('a\\nb\\u001b[2J\\u009b2J\\u202e\\u2028\\u0000');
  });

  it('a closed pipe halts the sink, and does not end the process', async () => {
    const output = new Writable({ write: (_, __, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })) });
    const sink = openStdout({ images: true }, output);
    const fault = await sink.write(batchOf([insert]), never).then(
      () => undefined,
      (error: SinkFault) => error,
    );
    expect([fault?.disposition, fault?.heals, fault?.message]).to.deep.equal([
      'halt',
      false,
      'standard output cannot be written: write EPIPE',
    ]);
    await sink.close();
  });
});
