/** What operators see and ask for: lag, pause and resume over the admin port, status while nobody runs, a quiet start, no telemetry unasked. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { Status } from '../../src/model/status.ts';
import type { DaemonProcess } from '../run/daemon-process.ts';
import { ROOT, step } from '../run/steps.ts';
import { portOr } from '../servers/ports.ts';
import { closeShops, openShop, type Shop } from './shop.ts';
import { stage } from './stage.ts';
import { putItems } from './tables.ts';
import { idle, sinkOf, sleep, until } from './waiting.ts';

const ask = (shop: Shop, what: 'pause' | 'resume', sink: string, token?: string): Promise<number> =>
  fetch(`${shop.places.admin}/pipelines/orders/sinks/${sink}/${what}`, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  }).then(({ status }) => status);

async function metric(shop: Shop, name: string, sink: string): Promise<number | undefined> {
  const text = await (await fetch(`${shop.places.admin}/metrics`)).text();
  const line = text.split('\n').find(each => each.startsWith(`${name}{`) && each.includes(`tidemark_sink_name="${sink}"`));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

const order = (n: number) => ({ customer: { S: 'c' }, order: { S: String(n) } });

describe('operators', function () {
  this.timeout(90_000);
  afterEach(closeShops);

  it('lag is 0 while idle, grows a second a second while a target is away, and is 0 again', async () => {
    const { lines } = await stage();
    const shop = await openShop({ sinks: ['eu', 'changes'] });
    const daemon = await shop.open();
    await putItems(shop.places.source, [order(1)]);
    await idle(daemon);
    await sleep(2000);
    expect(await metric(shop, 'tidemark_sink_lag_seconds', 'changes')).equal(0);
    await lines.kinesis.mode('refuse');
    await putItems(shop.places.source, [order(2)]);
    const first = await until('there is lag', async () => (await sinkOf(daemon, 'changes'))?.lagSeconds || undefined);
    const from = performance.now();
    await sleep(4000);
    const grown = ((await sinkOf(daemon, 'changes'))?.lagSeconds ?? 0) - first;
    expect(grown / ((performance.now() - from) / 1000)).within(0.9, 1.1);
    expect(await metric(shop, 'tidemark_sink_lag_seconds', 'changes')).within(first + 3, first + 6);
    expect((await sinkOf(daemon, 'eu'))?.lagSeconds).equal(0);
    expect(await metric(shop, 'tidemark_sink_lag_seconds', 'eu')).equal(0);
    await lines.kinesis.mode('pass');
    await idle(daemon);
    expect(await metric(shop, 'tidemark_sink_lag_seconds', 'changes')).equal(0);
  });

  it('pause and resume need the token, hold at once and over a restart; status shows it while nobody runs', async () => {
    const shop = await openShop({ sinks: ['eu', 'changes'] });
    const token = shop.secrets.at(-1);
    let daemon: DaemonProcess = await shop.open();
    const { source } = shop.places;
    await putItems(source, [order(1)]);
    await idle(daemon);
    expect(await ask(shop, 'pause', 'changes')).equal(401);
    expect(await ask(shop, 'pause', 'changes', 'wrong')).equal(401);
    expect(await ask(shop, 'pause', 'nobody', token)).equal(404);
    expect(await ask(shop, 'pause', 'changes', token)).equal(200);
    const paused = async () => {
      const { state, lagSeconds, written } = (await sinkOf(daemon, 'changes')) ?? {};
      return { state, behind: (lagSeconds ?? 0) > 0, written };
    };
    await until('it is paused', async () => (await paused()).state === 'paused', 1000);
    await putItems(source, [order(2)]);
    await until('the other has it', async () => (await sinkOf(daemon, 'eu'))?.written === 2);
    await until('it lags', async () => (await paused()).behind);
    expect(await paused()).eql({ state: 'paused', behind: true, written: 1 });

    expect(await daemon.stop()).equal('exit 0');
    const { ok, output } = await step(join(ROOT, 'dist', 'src', 'main.js'), ['status', '--json', '-c', shop.file()], { output: 'keep' });
    expect(ok, output).equal(true);
    const status: Status = JSON.parse(output);
    const [pipeline] = status.pipelines;
    expect([status.worker, status.ready]).eql([null, null]);
    expect(pipeline?.tables[0]?.shards.open).equal(1);
    expect(pipeline?.sinks.map(({ name, state, gaps, written }) => [name, state, gaps, written])).eql([
      ['eu', null, 0, null],
      ['changes', 'paused', 0, null],
    ]);

    daemon = await shop.open();
    await sleep(1500);
    expect(await paused()).eql({ state: 'paused', behind: true, written: 0 });
    expect(await ask(shop, 'resume', 'changes', token)).equal(200);
    await idle(daemon);
    expect((await paused()).written).equal(1);
  });

  it('without a token in the settings nobody may ask', async () => {
    const shop = await openShop({ sinks: ['eu'] });
    const { token: _token, ...admin } = shop.settings.admin;
    await shop.open({ settings: { ...shop.settings, admin } });
    expect(await ask(shop, 'pause', 'eu', 'anything')).equal(403);
  });

  it('an ordinary start and end warns of nothing, and no telemetry is pushed that nobody asked for', async () => {
    const pushed: string[] = [];
    let traces = '';
    const collector = createServer(async (request, response) => {
      pushed.push(request.url ?? '');
      const body = await text(request);
      if (request.url === '/v1/traces') traces += body;
      response.end();
    });
    // Where a collector would be, if that is free.
    const port = await portOr(4318);
    await new Promise<void>(resolve => collector.listen(port, '127.0.0.1', resolve));
    try {
      const shop = await openShop();
      const env = { OTEL_METRIC_EXPORT_INTERVAL: '300' };
      const quiet = await shop.open({ env });
      await putItems(shop.places.source, [order(1)]);
      await idle(quiet);
      await sleep(1500);
      expect(await quiet.stop()).equal('exit 0');
      expect(pushed).eql([]);
      const levels = quiet
        .log()
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
        .filter(({ level }) => level !== 'info');
      expect(levels).eql([]);

      const asked = await shop.open({ env: { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } });
      await until('metrics are pushed', () => pushed.includes('/v1/metrics'));
      await putItems(shop.places.source, [order(2)]);
      await idle(asked);
      expect(await asked.stop()).equal('exit 0');
      expect(traces).contain('receive ');
      for (const sink of ['eu', 'changes', 'events', 'archive']) expect(traces).contain(`send ${sink}`);
    } finally {
      collector.closeAllConnections();
      await new Promise(resolve => collector.close(resolve));
    }
  });
});
