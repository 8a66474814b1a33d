import { connect } from 'node:net';
import { expect } from 'chai';
import { type AdminServer, startAdmin } from '../../../src/admin/server.ts';
import type { StatusSource } from '../../../src/ports/status-source.ts';
import { silentLog } from '../../fakes/pipeline-world.ts';

const asked: string[] = [];
let reasons: string[] = [];
const source: StatusSource = {
  status: () => ({ name: 'shop', worker: 'w', ready: true, notReady: [], pipelines: [] }),
  notReady: () => reasons,
  pause: async (pipeline, sink) => {
    asked.push(`pause ${pipeline}/${sink}`);
    return sink === 'eu' ? 'done' : 'unknown';
  },
  resume: async () => 'done',
};

describe('admin/server', () => {
  let admin: AdminServer;
  const start = async (token?: string) => {
    admin = await startAdmin({ host: '127.0.0.1', port: 0, token }, { source, metricsText: async () => 'a_metric 1\n', log: silentLog });
  };
  afterEach(() => admin.close());
  const get = (path: string) => fetch(`${admin.address}${path}`);
  const post = (path: string, headers: Record<string, string> = {}) => fetch(`${admin.address}${path}`, { method: 'POST', headers });

  it('serves status, metrics, health and a page without inline script', async () => {
    await start();
    expect(await (await get('/status')).json()).to.include({ name: 'shop', worker: 'w' });
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
    expect(await metrics.text()).to.equal('a_metric 1\n');
    expect((await get('/livez')).status).to.equal(200);
    const page = await get('/');
    expect(page.headers.get('content-security-policy')).to.contain("default-src 'none'").and.not.contain('unsafe-inline');
    expect((await get('/nothing')).status).to.equal(404);
  });

  it('who asks ahead, before an answer has come, is cut off; who waits for it may go on asking', async () => {
    await start();
    const { port } = new URL(admin.address);
    const ask = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    const socket = connect(Number(port), '127.0.0.1');
    let answers = 0;
    socket.setEncoding('utf8').on('data', (text: string) => {
      answers += text.match(/HTTP\/1\.1 200/g)?.length ?? 0;
      if (answers < 3) socket.write(ask);
      else socket.write(ask.repeat(2_000));
    });
    socket.on('error', () => {});
    socket.write(ask);
    await new Promise(resolve => socket.once('close', resolve));
    expect(answers).to.be.within(3, 5);
    expect((await get('/livez')).status).to.equal(200);
  });

  it('many who only connect do not keep others out', async () => {
    await start();
    const { port } = new URL(admin.address);
    const silent = Array.from({ length: 400 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}));
    await Promise.all(silent.map(socket => new Promise(resolve => socket.once('connect', resolve))));
    for (let asked = 0; asked < 5; asked += 1) expect((await get('/livez')).status).to.equal(200);
    for (const socket of silent) socket.destroy();
  });

  it('an action that cannot be kept now is 503 with the reason', async () => {
    const away = { ...source, pause: () => Promise.reject(new Error('the control table does not answer')) };
    const parts = { source: away, metricsText: async () => '', log: silentLog };
    admin = await startAdmin({ host: '127.0.0.1', port: 0, token: 'secret' }, parts);
    const answer = await post('/pipelines/orders/sinks/eu/pause', { authorization: 'Bearer secret' });
    expect([answer.status, await answer.text()]).to.deep.equal([503, 'the control table does not answer\n']);
  });

  it('readyz is 503 with the reasons, 200 without', async () => {
    await start();
    reasons = ['state tables do not answer'];
    const not = await get('/readyz');
    expect(not.status).to.equal(503);
    expect(await not.text()).to.contain('state tables');
    reasons = [];
    expect((await get('/readyz')).status).to.equal(200);
  });

  it('an action without a configured token is 403, with a wrong or no token 401, else done', async () => {
    await start();
    expect((await post('/pipelines/orders/sinks/eu/pause', { authorization: 'Bearer x' })).status).to.equal(403);
    await admin.close();
    await start('secret');
    expect((await post('/pipelines/orders/sinks/eu/pause')).status).to.equal(401);
    expect((await post('/pipelines/orders/sinks/eu/pause', { authorization: 'Bearer secre' })).status).to.equal(401);
    expect(asked).to.deep.equal([]);
    expect((await post('/pipelines/orders/sinks/eu/pause', { authorization: 'Bearer secret' })).status).to.equal(200);
    expect((await post('/pipelines/orders/sinks/nobody/pause', { authorization: 'Bearer secret' })).status).to.equal(404);
    const gotten = await get('/pipelines/orders/sinks/eu/pause');
    expect([gotten.status, gotten.headers.get('allow')]).to.deep.equal([405, 'POST']);
    const posted = await post('/status');
    expect([posted.status, posted.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD']);
  });

  it('headers over 16 KiB are 431, bodies over 64 KiB 413', async () => {
    await start();
    expect((await fetch(`${admin.address}/status`, { headers: { 'x-long': 'x'.repeat(17 * 1024) } })).status).to.equal(431);
    const large = await fetch(`${admin.address}/status`, { method: 'POST', body: 'x'.repeat(65 * 1024) }).catch(() => undefined);
    expect(large === undefined || large.status === 413).to.equal(true);
  });

  it('a port that is taken is a clear error', async () => {
    await start();
    const port = Number(new URL(admin.address).port);
    const second = startAdmin({ host: '127.0.0.1', port, token: undefined }, { source, metricsText: async () => '', log: silentLog });
    const error = await second.then(
      () => undefined,
      error => error,
    );
    expect(error.message).to.equal(
      `the admin address 127.0.0.1:${port} cannot be opened: the port is in use; set admin.port to a free one, or to 0 for any free one`,
    );
  });

  it('so is an address that this machine does not have', async () => {
    await start();
    const other = startAdmin({ host: '192.0.2.1', port: 0, token: undefined }, { source, metricsText: async () => '', log: silentLog });
    const error = await other.then(
      () => undefined,
      error => error,
    );
    expect(error.message).to.match(/^the admin address 192\.0\.2\.1:0 cannot be opened: .*admin\.host/);
  });
});
