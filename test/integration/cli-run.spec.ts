/** `tidemark run` as a process against a real DynamoDB, with a connector from outside the tree: delivery, operators, signals, exit codes. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Status } from '../../src/model/status.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { keptLog } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, env, start, tidemark } from './cli-desk.ts';

describe('tidemark run', function () {
  this.timeout(60_000);
  let at: Desk;
  let file: Desk['file'];
  let settings: Desk['settings'];
  afterEach(endAll);

  let server: Server;
  let clients: AwsClients;
  let table: TableApi;
  const never = new AbortController().signal;
  before(async () => {
    at = desk();
    ({ file, settings } = at);
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    table = clients.table({ endpoint: server.endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
    for (const TableName of ['orders', 'streamless']) {
      await table.call(
        'CreateTable',
        {
          TableName,
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
        },
        never,
      );
    }
    const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
    await table.call('UpdateTable', { TableName: 'orders', StreamSpecification }, never);
  });
  after(async () => {
    await clients?.close();
    await server?.stop();
    at.remove();
  });

  const put = (id: string) => table.call('PutItem', { TableName: 'orders', Item: { id: { S: id } } }, never);
  const lines = (sink: string) => (existsSync(join(at.folder, sink)) ? readFileSync(join(at.folder, sink), 'utf8').trim().split('\n') : []);
  const records = (stderr: string) =>
    stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);

  it('delivers to a connector from a package, serves its status, and ends 0 after a signal', async () => {
    const daemon = start(['run', '-c', file('run.yaml', settings({ endpoint: server.endpoint }))], env);
    const [, address] = await daemon.until(/"address":"(http:[^"]+)"/);
    await put('one');
    await eventually(() => lines('eu').length === 1 && lines('us').length === 1);
    expect(lines('eu')).to.deep.equal(['insert {"id":{"S":"one"}}']);
    const status = await (await fetch(`${address}/status`)).json();
    expect(status).to.have.nested.property('pipelines[0].sinks[0].written', 1);
    expect((await fetch(`${address}/livez`)).status).to.equal(200);
    expect(await (await fetch(`${address}/metrics`)).text()).to.match(/tidemark_sink_records_total\{[^}]*outcome="written"[^}]*\} 1/);

    const pause = await tidemark(['pause', 'orders/us', '-c', join(at.folder, 'run.yaml')], env);
    expect(pause.code).to.equal('0');
    await daemon.until(/"sink":"us"[^\n]*paused by request/);
    await put('two');
    await eventually(() => lines('eu').length === 2);
    expect(lines('us')).to.have.length(1);
    await tidemark(['resume', 'orders/us', '-c', join(at.folder, 'run.yaml')], env);
    await eventually(() => lines('us').length === 2);

    const from = Date.now();
    daemon.kill('SIGTERM');
    const { code, stdout, stderr } = await daemon.ended;
    expect([code, stdout]).to.deep.equal(['0', '']);
    expect(Date.now() - from).to.be.below(3_000);
    for (const record of records(stderr)) expect(record).to.include.keys('time', 'level', 'msg', 'service', 'worker');
    expect(stderr).to.not.include('hunter2');
  });

  it('goes on where it was', async () => {
    const daemon = start(['run', '-c', file('again.yaml', settings({ endpoint: server.endpoint }))], env);
    await put('three');
    await eventually(() => lines('eu').length === 3);
    expect(lines('eu')[2]).to.equal('insert {"id":{"S":"three"}}');
    daemon.kill('SIGINT');
    expect((await daemon.ended).code).to.equal('0');
  });

  it('goes on after SIGHUP where there is no terminal, and says why', async () => {
    const daemon = start(['run', '-c', file('hup.yaml', settings({ endpoint: server.endpoint }))], env);
    await daemon.until(/"address":"(http:[^"]+)"/);
    daemon.kill('SIGHUP');
    await daemon.until(/SIGHUP is ignored: settings are read at the start only/);
    await put('after SIGHUP');
    await eventually(() => lines('eu').some(line => line.includes('after SIGHUP')));
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).to.equal('0');
  });

  it('is ended at once by a second signal; ends 1 by itself when a write would not settle', async () => {
    const stuck = file('stuck.yaml', settings({ endpoint: server.endpoint }));
    const args = ['run', '-c', stuck, '--set', 'pipelines.orders.sinks.eu.hangs=true', '--set', 'limits.drainSeconds=5'];
    for (const [signal, expected] of [
      ['SIGINT', '130'],
      ['SIGTERM', '143'],
      [undefined, '1'],
    ] as const) {
      const daemon = start([...args, '--set', `name=shop${expected}`, ...(signal ? [] : ['--set', 'limits.drainSeconds=0.5'])], env);
      const [, address] = await daemon.until(/"address":"(http:[^"]+)"/);
      const open = async (): Promise<number> => {
        const status = (await (await fetch(`${address}/status`)).json()) as Status;
        return status.pipelines[0]?.sinks[0]?.open ?? 0;
      };
      await eventually(async () => (await open()) > 0);
      daemon.kill('SIGTERM');
      await daemon.until(/stopping: SIGTERM/);
      if (signal !== undefined) daemon.kill(signal);
      expect((await daemon.ended).code).to.equal(expected);
    }
  });

  it('ends in order when nobody reads stdout any more', async () => {
    const toStdout = settings({ endpoint: server.endpoint }).replace(/^ +- \{ name: us.*$/m, '      - { name: out, type: stdout }');
    const daemon = start(['run', '-c', file('out.yaml', toStdout)], env);
    await put('four');
    await eventually(() => daemon.stdout().includes('"four"'));
    daemon.process.stdout?.destroy();
    await put('five');
    const { code, stderr } = await daemon.ended;
    expect(code).to.equal('0');
    expect(stderr).to.include('stopping: stdout was closed');
  });

  it('ends 78 when no pipeline can run, and says why', async () => {
    const { code, stderr } = await tidemark(
      ['run', '-c', file('less.yaml', settings({ endpoint: server.endpoint, table: 'streamless' }))],
      env,
    );
    expect(code).to.equal('78');
    expect(stderr).to.match(/^orders: table streamless in us-east-1 has no stream; enable one/m);
  });

  it('ends 1 when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise(resolve => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    const taken = file('taken.yaml', settings({ endpoint: server.endpoint }));
    const { code, stderr } = await tidemark(['run', '-c', taken, '--set', `admin.port=${port}`], env);
    other.close();
    expect(code).to.equal('1');
    expect(stderr).to.include(`the admin address 127.0.0.1:${port} cannot be opened: the port is in use; set admin.port`);
  });

  it('waits for state tables that are out of reach, not ready, and stops in order', async () => {
    const daemon = start(['run', '-c', file('away.yaml', settings())], env);
    const [, address] = await daemon.until(/"address":"(http:[^"]+)"/);
    const ready = await fetch(`${address}/readyz`);
    expect([ready.status, await ready.text()]).to.satisfy(([status, text]: [number, string]) => status === 503 && /\w/.test(text));
    expect((await fetch(`${address}/livez`)).status).to.equal(200);
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).to.equal('0');
  });
});

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error('it did not come to hold');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
