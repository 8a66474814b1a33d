import { S3ServiceException } from '@aws-sdk/client-s3';
import { expect } from 'chai';
import { manyRecords, memoryProgress, simpleRecord, startWorld } from '../../test/fakes/pipeline-world.ts';
import { batchOf, changeRecord, ODD_ATTRIBUTES } from '../../test/fakes/records.ts';
import { ScriptedReader } from '../../test/fakes/scripted-reader.ts';
import { archivedLines, type StubStore, stubStore } from '../../test/fakes/stub-store.ts';
import { testHost } from '../../test/fakes/test-host.ts';
import { seededRandom, virtualClock } from '../../test/fakes/virtual-clock.ts';
import { archiveFile } from './archive-file.ts';
import connector, { openArchive } from './index.ts';
import { layoutProblem, objectNames } from './layout.ts';
import { optionsSchema } from './options.ts';
import { faultOf, meansExists } from './store.ts';

const OPTIONS = optionsSchema.parse({ bucket: 'shop-archive', prefix: '/changes/' });
const NEVER = new AbortController().signal;

async function thrown(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    error => error,
  );
}

function answer(status: number, name: string): S3ServiceException {
  return new S3ServiceException({ name, message: 'no', $fault: 'client', $metadata: { httpStatusCode: status } });
}

describe('s3: names', () => {
  const first = changeRecord({ n: 7 });

  it('are a function of the first record, sort in order, and tell streams apart', () => {
    const name = objectNames({ prefix: 'p/', layout: OPTIONS.layout, extension: 'json.gz' });
    const dir = `p/table=orders/stream=${first.source.streamCreatedAt}/dt=2026-01-01/hour=00/`;
    expect(name(first)).to.equal(`${dir}shardId-00000001767225600000-0a1b2c3d+${first.token.padStart(40, '0')}.json.gz`);
    const later = changeRecord({ n: 8 });
    expect(name(first) < name(later)).to.equal(true);
    const again = changeRecord({ n: 7, source: { ...first.source, streamCreatedAt: first.source.streamCreatedAt + 1 } });
    for (const layout of [OPTIONS.layout, 'flat']) {
      const names = objectNames({ prefix: '', layout, extension: 'json' });
      expect(names(first)).to.not.equal(names(again));
    }
  });

  it('a layout with an unknown or unclosed token is refused with what there is', () => {
    expect(layoutProblem('a/!{shard}/!{timestamp:yyyy/MM/dd}')).to.equal(undefined);
    expect(layoutProblem('!{account}')).to.contain('!{account} is not known').and.contain('!{table}');
    expect(layoutProblem('!{timestamp:QQ}')).to.contain('not known');
    expect(layoutProblem('a/!{table')).to.contain('not closed');
    expect(optionsSchema.safeParse({ bucket: 'shop-archive', layout: '!{x}' }).error?.message).to.contain('!{x} is not known');
  });

  it('odd table and shard names are encoded', () => {
    const record = changeRecord({ source: { ...first.source, table: 'a b/c' } });
    expect(objectNames({ prefix: '', layout: '!{table}', extension: 'json' })(record)).to.match(/^a%20b%2Fc\//);
  });
});

describe('s3: files', () => {
  it('lines are the incremental export’s, exact for odd values and names; equal records give equal bytes', async () => {
    const keys = { pk: { S: 'ä€😀' }, sk: { N: '1' } };
    const record = changeRecord({ keys, after: { ...ODD_ATTRIBUTES, ...keys } });
    const as = { name: 'n', compression: 'gzip' as const };
    const [one, two] = [await archiveFile([record], as), await archiveFile([record], as)];
    expect(Buffer.compare(one.body, two.body)).to.equal(0);
    const store = stubStore();
    await store.putIfAbsent({ ...one, name: 'x.json.gz' }, NEVER);
    expect(archivedLines(store)[0]).to.deep.include({ Keys: keys, NewImage: { ...ODD_ATTRIBUTES, ...keys } });
  });

  it('names say the compression, and nothing else does', async () => {
    const store = stubStore();
    const sink = await openArchive(store, { ...OPTIONS, compression: 'zstd' }, testHost());
    await sink.write(batchOf([changeRecord()]), NEVER);
    expect([...store.objects.keys()].some(name => name.endsWith('.json.zst'))).to.equal(true);
  });
});

describe('s3: what is there already', () => {
  const records = manyRecords(10, 3);
  const open = (store: StubStore, more: Partial<typeof OPTIONS> = {}) => openArchive(store, { ...OPTIONS, ...more }, testHost());

  it('a file that covers less or more than the batch is adopted: `through` is its last record', async () => {
    const store = stubStore();
    const sink = await open(store);
    expect(await sink.write(batchOf(records.slice(0, 4)), NEVER)).to.deep.equal({ failed: [] });
    for (const end of [2, 4, 10]) {
      expect(await sink.write(batchOf(records.slice(0, end)), NEVER)).to.deep.equal({ failed: [], through: records[3]?.token });
    }
    expect(archivedLines(store)).to.have.length(4);
  });

  it('an object that is not the archive’s halts the sink and is named', async () => {
    const store = stubStore();
    const sink = await open(store);
    const name = objectNames({ prefix: OPTIONS.prefix, layout: OPTIONS.layout, extension: 'json.gz' })(simpleRecord(1, 'k0'));
    await store.putIfAbsent({ name, body: Buffer.from(''), sha256: '', contentType: '', metadata: {} }, NEVER);
    const error = await thrown(sink.write(batchOf([simpleRecord(1, 'k0')]), NEVER));
    expect(error).to.include({ disposition: 'halt' });
    expect(String(error)).to.contain(name);
  });

  it('a store that ignores conditional puts is refused, unless `auto` accepts it', async () => {
    const store = stubStore();
    store.keepsConditions = false;
    const error = await thrown(open(store));
    expect(error).to.include({ disposition: 'halt', heals: false });
    expect(String(error)).to.contain('conditionalPuts: auto');
    const sink = await open(store, { conditionalPuts: 'auto' });
    await sink.write(batchOf(records.slice(0, 4)), NEVER);
    expect(await sink.write(batchOf(records), NEVER)).to.deep.equal({ failed: [], through: records[3]?.token });
  });

  it('412, 304 and 409 mean that it is there; the 409 of two puts at once does not', () => {
    expect([412, 304, 409].every(status => meansExists(answer(status, 'Whatever')))).to.equal(true);
    expect(meansExists(answer(409, 'ConditionalRequestConflict'))).to.equal(false);
    expect(meansExists(answer(500, 'InternalError'))).to.equal(false);
  });

  it('faults say what to do: denied and missing halt and heal, the rest is tried again', () => {
    expect(faultOf(answer(403, 'AccessDenied'), 's3:PutObject on b/x')).to.include({ disposition: 'halt', heals: true });
    expect(faultOf(answer(404, 'NoSuchBucket'), 's3:PutObject on b/x').message)
      .to.contain('s3:PutObject on b/x')
      .and.contain('NoSuchBucket');
    for (const error of [
      answer(503, 'SlowDown'),
      answer(403, 'ExpiredToken'),
      answer(409, 'ConditionalRequestConflict'),
      new Error('reset'),
    ]) {
      expect(faultOf(error, 'x').disposition).to.equal('retry');
    }
  });
});

describe('s3: crashes', function () {
  this.timeout(60_000);
  // Acking the batch instead of answering `through` put lines twice in nine of ten such runs.
  it('each event is in exactly one object over 200 seeded crashes, with batches cut anew after each', async () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const lines = await crashingRun(seed);
      const numbers = lines.map(({ Metadata }) => Number(Metadata.SequenceNumber.S));
      expect(numbers, `seed ${seed}`).to.deep.equal(Array.from({ length: 300 }, (_, i) => i + 1));
    }
  });
});

/** Archives 300 records in several lives; each life but the last is cut off at a random moment, often between a put and its answer. */
async function crashingRun(seed: number) {
  const dice = seededRandom(seed);
  const clock = virtualClock();
  const reader = new ScriptedReader(clock, { pageRecords: 1 + dice.integer(80) });
  reader.records.push(...manyRecords(300, 20));
  reader.closed = true;
  const progress = memoryProgress();
  const store = stubStore();
  for (let life = 0; life < 6; life += 1) {
    const last = life === 5;
    store.onStored = async name => {
      if (name.includes('_tidemark')) return;
      if (!last && dice.chance(0.5)) throw new Error('the answer is lost');
      await clock.sleep(dice.integer(200), NEVER);
    };
    // Unpacked: packing takes real time, of which the virtual clock knows nothing.
    const options = { ...OPTIONS, compression: 'none' as const, fileRecords: 1 + dice.integer(60), fileSeconds: dice.integer(3) };
    const archive = {
      connector: () => ({
        schema: connector.schema,
        traits: () => connector.traits(options),
        open: () => openArchive(store, options, testHost({ clock })),
      }),
    };
    const starting = startWorld({ clock, reader, progress, targets: { archive }, seed: seed * 10 + life });
    await clock.runUntil(starting);
    const world = await starting;
    if (last) await clock.runUntil(world.run.done);
    else {
      await clock.advance(dice.integer(1500));
      world.run.fence();
      await clock.runUntil(world.run.settled());
    }
  }
  return archivedLines(store);
}
