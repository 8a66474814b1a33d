/** Items that a target cannot take: their sink halts and says which, why and what helps; the others have them. (Letters come with the failure policy.) */
import { expect } from 'chai';
import { deliveredItems } from './delivered.ts';
import { closeShops, openShop } from './shop.ts';
import { getItem, putItems } from './tables.ts';
import { awaited, idle, sinkOf, until } from './waiting.ts';

const KEY = { customer: { S: 'c' }, order: { S: 'o' } };

describe('bad items', function () {
  this.timeout(90_000);
  afterEach(closeShops);

  it('with an attribute named as our stamp: the replica halts, names it and stampAttribute; with another name it goes on', async () => {
    const shop = await openShop({ sinks: ['eu', 'changes'] });
    const { source, replica } = shop.places;
    let daemon = await shop.open();
    await putItems(source, [{ ...KEY, _tm: { S: 'of somebody else' } }]);
    await until('the replica halts', async () => (await sinkOf(daemon, 'eu'))?.state === 'halted');
    await until('the others go on', async () => (await sinkOf(daemon, 'changes'))?.written === 1);
    const eu = await sinkOf(daemon, 'eu');
    console.log(`        ${eu?.reason}`);
    expect(eu?.reason)
      .match(/_tm/)
      .and.match(/stampAttribute/);
    expect(eu?.written).equal(0);
    await daemon.stop();
    const [pipeline] = shop.settings.pipelines;
    const sinks = pipeline.sinks.map(sink => (sink.name === 'eu' ? { ...sink, stampAttribute: '_tidemark' } : sink));
    daemon = await shop.open({ settings: { ...shop.settings, pipelines: [{ ...pipeline, sinks }] } });
    await idle(daemon);
    expect((await getItem(replica, KEY))?.['_tm']).eql({ S: 'of somebody else' });
  });

  it('without the version attribute: the replica halts and names it', async () => {
    const shop = await openShop({ sinks: ['eu', 'changes'], more: { eu: { mode: 'version', versionAttribute: 'changedAt' } } });
    const daemon = await shop.open();
    await putItems(shop.places.source, [KEY]);
    await until('the replica halts', async () => (await sinkOf(daemon, 'eu'))?.state === 'halted');
    await until('the others go on', async () => (await sinkOf(daemon, 'changes'))?.written === 1);
    const eu = await sinkOf(daemon, 'eu');
    console.log(`        ${eu?.reason}`);
    expect(eu?.reason).match(/changedAt/);
  });

  it('whose two images are too large for a Kinesis record and for the broker: each halts with size and limit, replica and archive have them', async () => {
    const shop = await openShop();
    const daemon = await shop.open();
    // Binary is a third larger as text, and a change has it twice.
    const large = { ...KEY, bytes: { B: Buffer.alloc(395 * 1024).toString('base64') } };
    await putItems(shop.places.source, [large]);
    await idle(daemon);
    await putItems(shop.places.source, [
      { customer: { S: 'small' }, order: { S: '1' } },
      { ...large, more: { S: 'more' } },
      { customer: { S: 'small' }, order: { S: '2' } },
    ]);
    await awaited(daemon, 'both halt, the others have all', sinks =>
      sinks.every(({ name, state, open }) => (name === 'changes' || name === 'events' ? state === 'halted' : open === 0)),
    );
    for (const name of ['changes', 'events']) {
      const sink = await sinkOf(daemon, name);
      console.log(`        ${name}: ${sink?.reason}`);
      expect(sink?.reason)
        .match(/\d{7} bytes/)
        .and.match(/10\d{5}|1 MiB/);
    }
    expect((await getItem(shop.places.replica, KEY))?.['more']).eql({ S: 'more' });
    const archived = async () => (await deliveredItems(shop)).filter(({ target }) => target === 'archive').length;
    await until('the archive has all', async () => (await archived()) === 4);
  });
});
