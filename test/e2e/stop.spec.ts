/** SIGTERM and SIGINT: the daemon ends in order and in time, whatever it is doing, and what was finished is not written again. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DaemonProcess } from '../run/daemon-process.ts';
import { ROOT } from '../run/steps.ts';
import { spawnGuarded } from '../servers/child.ts';
import { amount } from './numbers.ts';
import { closeShops, openShop, type Shop } from './shop.ts';
import { stage } from './stage.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { delivering, idle, sinkOf, sleep, until } from './waiting.ts';

const PER_SECOND = amount('RATE', 200);
const STOPS = amount('STOPS', 2);

/** Signals the process alone; how it ended, and after how long. */
async function ended(daemon: DaemonProcess, signal: NodeJS.Signals): Promise<{ how: string; afterMs: number }> {
  const from = performance.now();
  process.kill(daemon.child.pid, signal);
  const how = await daemon.child.exited;
  return { how, afterMs: Math.round(performance.now() - from) };
}

/** Of the whole stop: the drain and a second; a little more for a machine that does other things too. */
const within = (drainSeconds: number): number => drainSeconds * 1000 + 1000 + 200;

describe('being told to stop', function () {
  this.timeout(120_000 + STOPS * 10_000);
  afterEach(closeShops);

  it(`SIGTERM under load, ${STOPS} times: ends 0 in time, and nothing is written twice`, async () => {
    const shop = await openShop();
    const writer = shop.writer();
    const kafka = await shop.watch();
    const enough = new AbortController();
    const writing = writer.write(Number.MAX_SAFE_INTEGER, { perSecond: PER_SECOND, signal: enough.signal });
    for (let stops = 0; stops < STOPS; stops += 1) {
      const daemon = await shop.open();
      await delivering(daemon);
      await sleep(1500);
      const { how, afterMs } = await ended(daemon, stops % 2 === 0 ? 'SIGTERM' : 'SIGINT');
      console.log(`        ended after ${afterMs} ms: ${how}`);
      expect(how).equal('exit 0');
      expect(afterMs).below(within(5));
    }
    const daemon = await shop.open();
    await delivering(daemon);
    enough.abort();
    await writing;
    await idle(daemon);
    const verdicts = await verdictsOf(shop, writer.history, kafka);
    expectComplete(verdicts);
    expect(verdicts.map(({ duplicates }) => duplicates)).eql([0, 0, 0, 0]);
  });

  describe('while a target hangs', () => {
    /** A daemon with a write to Kinesis under way that has no answer. */
    async function hung(drainSeconds: number): Promise<{ daemon: DaemonProcess; shop: Shop }> {
      const shop = await openShop({ sinks: ['eu', 'changes'], limits: { drainSeconds }, more: { changes: { timeoutSeconds: 60 } } });
      const daemon = await shop.open();
      const { lines } = await stage();
      await lines.kinesis.mode('hang');
      const writer = shop.writer();
      await writer.write(50, { perSecond: 500, signal: AbortSignal.timeout(20_000) });
      await until('records are open', async () => ((await sinkOf(daemon, 'changes'))?.open ?? 0) > 0);
      await sleep(300);
      return { daemon, shop };
    }

    it('the drain ends on time, 0, and what was not written is written by the next one', async () => {
      const { daemon, shop } = await hung(2);
      const { how, afterMs } = await ended(daemon, 'SIGTERM');
      console.log(`        ended after ${afterMs} ms: ${how}`);
      expect(afterMs).within(1900, within(2));
      expect(how, daemon.log()).equal('exit 0');
      await (await stage()).lines.kinesis.mode('pass');
      const next = await shop.open();
      await until('the next one has written all', async () => (await sinkOf(next, 'changes'))?.written === 50);
      expect((await sinkOf(next, 'eu'))?.read).equal(0);
    });

    for (const [signal, code] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      it(`a second ${signal} ends it at once with ${code}`, async () => {
        const { daemon } = await hung(30);
        process.kill(daemon.child.pid, 'SIGTERM');
        await until('it is stopping', () => daemon.log().includes('stopping: SIGTERM'));
        await sleep(500);
        expect(daemon.child.running()).equal(true);
        const { how, afterMs } = await ended(daemon, signal);
        expect([how, afterMs < 500]).eql([`exit ${code}`, true]);
      });
    }
  });

  it('before it is ready: ends in time, whether or not its state tables answer', async () => {
    const shop = await openShop({ sinks: ['eu'] });
    const early = shop.launch();
    await sleep(100);
    // Before its own code runs, the system ends it.
    expect((await ended(early, 'SIGTERM')).how).oneOf(['SIGTERM', 'exit 0']);

    await (await stage()).lines.state.mode('hang');
    const daemon = shop.launch();
    await until('it is starting', () => daemon.log().includes('"starting"'));
    await sleep(1000);
    const { how, afterMs } = await ended(daemon, 'SIGTERM');
    console.log(`        ended after ${afterMs} ms: ${how}`);
    expect([how, afterMs < within(5)]).eql(['exit 0', true]);
  });

  it('at any moment of its start, while its state tables refuse connections: ends in time', async () => {
    const shop = await openShop({ sinks: ['eu'] });
    await (await stage()).lines.state.mode('refuse');
    const ends: { how: string; afterMs: number }[] = [];
    for (const moment of [150, 250, 350, 450, 550, 700]) {
      const daemon = shop.launch();
      await sleep(moment);
      ends.push(await ended(daemon, 'SIGTERM'));
    }
    console.log(`        ended after ${ends.map(({ how, afterMs }) => `${afterMs} ms: ${how}`).join(', ')}`);
    for (const { how, afterMs } of ends) expect([how === 'exit 0' || how === 'SIGTERM', afterMs < within(5)]).eql([true, true]);
    expect(ends.at(-1)?.how).equal('exit 0');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} to npm alone ends the daemon too, in order`, async () => {
      const shop = await openShop({ sinks: ['eu'] });
      const args = ['run', '--silent', 'tidemark', '--', 'run', '-c', shop.file()];
      const npm = spawnGuarded('npm', args, { cwd: ROOT, output: `${shop.folder}/npm.log` });
      const answers = () =>
        fetch(`${shop.places.admin}/readyz`).then(
          ({ status }) => status,
          () => 0,
        );
      await until('it is ready', async () => (await answers()) === 200);
      process.kill(npm.pid, signal);
      const how = await npm.exited;
      await until('nobody answers any more', async () => (await answers()) === 0, 8000);
      const daemonLog = readFileSync(`${shop.folder}/npm.log`, 'utf8');
      console.log(`        npm: ${how}`);
      expect(daemonLog).include('"msg":"stopped"');
    });
  }
});
