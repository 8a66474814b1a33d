/** What a user sees who starts the daemon with settings or a source that cannot work: exit 78, the place, what is wrong, and the mend. */
import { UpdateTableCommand } from '@aws-sdk/client-dynamodb';
import { expect } from 'chai';
import { makeTargets } from '../run/world-targets.ts';
import { closeShops, openShop, type Shop, type ShopPlan } from './shop.ts';
import { makeTable, putItems, withClient } from './tables.ts';
import { sinkOf, until } from './waiting.ts';

const nothing = async () => {};

/** Starts a daemon that ends by itself; how, and what it said. */
async function endOf(shop: Shop, launch?: Parameters<Shop['launch']>[0]): Promise<{ how: string; said: string }> {
  const daemon = shop.launch(launch);
  await until('it has ended', () => !daemon.child.running());
  return { how: await daemon.child.exited, said: daemon.log() };
}

describe('a start that cannot work', function () {
  this.timeout(60_000);
  afterEach(closeShops);

  it('wrong settings: every mistake at once with file, line and column, before anything is opened, and no secret', async () => {
    const shop = await openShop({ make: nothing });
    const [pipeline] = shop.settings.pipelines;
    const wrong = {
      ...shop.settings,
      limits: { drainSeconds: 'soon' },
      pipelines: [
        {
          ...pipeline,
          sinks: pipeline.sinks.map(sink => (sink.type === 'kinesis' ? { ...sink, batchSize: 0, colour: 'red' } : sink)),
        },
      ] as const,
    };
    const { how, said } = await endOf(shop, { settings: wrong, env: { TIDEMARK_ADMIN_PORT: 'many' } });
    expect(how).equal('exit 78');
    const file = shop.file(wrong).replaceAll('/', '\\/');
    expect(said).match(new RegExp(`^${file}:\\d+:\\d+ limits\\.drainSeconds: expected a number`, 'm'));
    expect(said).match(new RegExp(`^${file}:\\d+:\\d+ pipelines\\.orders\\.sinks\\.changes\\.batchSize: .*1`, 'm'));
    expect(said).match(new RegExp(`^${file}:\\d+:\\d+ pipelines\\.orders\\.sinks\\.changes\\.colour: unknown`, 'm'));
    expect(said).match(/TIDEMARK_ADMIN_PORT/);
    expect(said).not.include('"starting"');
    expect(shop.secrets.filter(secret => said.includes(secret))).eql([]);
  });

  const sources: readonly { readonly what: string; readonly plan: ShopPlan; readonly says: RegExp }[] = [
    {
      what: 'a table without a stream',
      plan: { make: ({ source }) => makeTable(source) },
      says: /table orders in us-east-1 has no stream; enable one with the view type NEW_AND_OLD_IMAGES, or set source\.enableStream: true/,
    },
    {
      what: 'a stream whose view type is too small for a sink',
      plan: { make: ({ source }) => makeTable(source, { stream: 'KEYS_ONLY' }), sinks: ['eu', 'changes'] },
      says: /the stream of table orders has the view type KEYS_ONLY, but sink eu \(replica\) needs .*NEW_AND_OLD_IMAGES/,
    },
    { what: 'a table that is not there', plan: { make: nothing }, says: /table orders in us-east-1 is not there/ },
  ];
  for (const { what, plan, says } of sources) {
    it(`${what}: 78, with the table and the mend`, async () => {
      const { how, said } = await endOf(await openShop(plan));
      expect(how, said).equal('exit 78');
      expect(said).match(says);
    });
  }

  it('a table without a stream, and enableStream: the stream is switched on', async () => {
    const shop = await openShop({
      make: async ({ source, replica }) => {
        await Promise.all([makeTable(source), makeTable(replica)]);
      },
      sinks: ['eu'],
      source: { enableStream: true },
    });
    const daemon = await shop.open();
    await putItems(shop.places.source, [{ customer: { S: 'c' }, order: { S: 'o' } }]);
    await until('the item is written', async () => (await sinkOf(daemon, 'eu'))?.written === 1);
  });

  it('a replica that is the source itself: its sink halts before the first write, by the table, whatever the spelling of its address', async () => {
    const shop = await openShop({ sinks: ['eu', 'changes'], make: makeTargets });
    const { source } = shop.places;
    const [pipeline] = shop.settings.pipelines;
    const itself = { ...pipeline.source, endpoint: source.endpoint.replace('127.0.0.1', 'localhost') };
    const sinks = pipeline.sinks.map(sink => (sink.type === 'replica' ? { name: 'eu', type: 'replica', ...itself } : sink));
    const daemon = await shop.open({ settings: { ...shop.settings, pipelines: [{ ...pipeline, sinks }] } });
    await putItems(source, [{ customer: { S: 'c' }, order: { S: 'o' } }]);
    await until('the others go on', async () => (await sinkOf(daemon, 'changes'))?.written === 1);
    const eu = await sinkOf(daemon, 'eu');
    expect(eu?.state).equal('halted');
    expect(eu?.reason).match(/source|itself|same table/);
    expect(eu?.written).equal(0);
    console.log(`        ${eu?.reason}`);
  });

  it('a stream that is disabled while the daemon runs: what it holds is read to its end, and the status says so', async () => {
    const shop = await openShop({ sinks: ['eu'] });
    const daemon = await shop.open();
    const { source } = shop.places;
    await putItems(source, [{ customer: { S: 'c' }, order: { S: 'o' } }]);
    await until('the item is written', async () => (await sinkOf(daemon, 'eu'))?.written === 1);
    await withClient(source, client =>
      client.send(new UpdateTableCommand({ TableName: source.table, StreamSpecification: { StreamEnabled: false } })),
    );
    await until('the sink has ended', async () => (await sinkOf(daemon, 'eu'))?.state === 'ended', 90_000);
    expect((await fetch(`${shop.places.admin}/readyz`)).status).equal(200);
  });
});
