/** The state tables, which everything hangs on: out of reach at the start, out of reach for a while, and what is kept in them for a restart. */
import { expect } from 'chai';
import { type Gate, jsonRefusal, startGate } from './gate.ts';
import { closeShops, openShop, type Shop } from './shop.ts';
import { stage } from './stage.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { delivering, idle, sleep, until } from './waiting.ts';

const readiness = async (shop: Shop): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`${shop.places.admin}/readyz`).catch(() => undefined);
  return { status: answer?.status ?? 0, text: (await answer?.text()) ?? '' };
};

describe('state tables', function () {
  this.timeout(90_000);
  let gate: Gate | undefined;
  afterEach(async () => {
    await closeShops();
    await gate?.stop();
    gate = undefined;
  });

  for (const mode of ['refuse', 'hang'] as const) {
    it(`out of reach at the start (${mode}): alive but not ready, says why, keeps trying, and then works`, async () => {
      const { lines } = await stage();
      const shop = await openShop({ sinks: ['eu'] });
      await lines.state.mode(mode);
      const daemon = shop.launch();
      await until('it answers', async () => (await readiness(shop)).status !== 0);
      await sleep(5000);
      const { status, text } = await readiness(shop);
      expect([status, daemon.child.running()]).eql([503, true]);
      console.log(`        ${text.trim()}`);
      expect(text).match(/state tables|lease|control/);
      expect((await fetch(`${shop.places.admin}/livez`)).status).equal(200);
      expect(daemon.log().split('\n').length).below(20);
      await lines.state.mode('pass');
      await daemon.ready();
      const writer = shop.writer();
      await writer.write(20, { perSecond: 200, signal: AbortSignal.timeout(20_000) });
      await delivering(daemon);
    });
  }

  it('denied: alive but not ready, names action and table, and works once they are granted', async () => {
    const { dynamodb } = await stage();
    gate = await startGate(dynamodb);
    gate.judge = operation => (/Table$/.test(operation) ? jsonRefusal('AccessDeniedException', 'User is not authorized') : undefined);
    const shop = await openShop({ sinks: ['eu'] });
    const state = { ...shop.settings.state, endpoint: gate.endpoint };
    const daemon = shop.launch({ settings: { ...shop.settings, state } });
    const text = await until('it says that it is denied', async () => {
      const now = await readiness(shop);
      return now.status === 503 && /denied|not authorized/i.test(now.text) ? now.text : undefined;
    });
    console.log(`        ${text.trim()}`);
    expect(text)
      .match(/dynamodb:\w+Table/)
      .and.match(/shop-(leases|control)/);
    gate.judge = () => undefined;
    await daemon.ready();
  });

  it('out of reach for longer than a lease lasts, under load: it stops writing, comes back by itself, and nothing is lost', async () => {
    const { lines } = await stage();
    const shop = await openShop();
    const daemon = await shop.open();
    const writer = shop.writer();
    const kafka = await shop.watch();
    const writing = writer.write(900, { perSecond: 100, signal: AbortSignal.timeout(60_000) });
    await delivering(daemon);
    await lines.state.mode('hang');
    const text = await until('it says that it is not ready', async () => {
      const now = await readiness(shop);
      return now.status === 503 ? now.text : undefined;
    });
    console.log(`        ${text.trim()}`);
    await lines.state.mode('pass');
    await writing;
    await idle(daemon);
    expect(daemon.child.running()).equal(true);
    expectComplete(await verdictsOf(shop, writer.history, kafka));
  });
});
