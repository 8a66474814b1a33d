/** `limits.processes`: several worker processes of one `run`, as real processes on a real DynamoDB: shared shards, one admin port, one log, ends of all kinds. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Status } from '../../src/model/status.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { keptLog, NEVER } from '../fakes/lease-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, env, MAIN, type Running, start } from './cli-desk.ts';

const TABLES = ['orders0', 'orders1', 'orders2', 'orders3'];
type Line = Readonly<Record<string, unknown>>;

describe('limits.processes', function () {
  this.timeout(120_000);
  let at: Desk;
  let server: Server;
  let clients: AwsClients;
  let file: string;
  const sources = new Map<string, TableApi>();
  const place = (accessKeyId: string) => ({
    region: 'us-east-1',
    endpoint: server.endpoint,
    credentials: { accessKeyId, secretAccessKey: 'b' },
  });

  before(async () => {
    at = desk();
    server = await startDynamoDb();
    clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    for (const name of TABLES) sources.set(name, clients.table(place(name)));
    const table = {
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' as const }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' as const }],
      BillingMode: 'PAY_PER_REQUEST' as const,
    };
    await Promise.all([...sources].map(([TableName, source]) => source.call('CreateTable', { TableName, ...table }, NEVER)));
    file = at.file('many.json', JSON.stringify(settings()));
  });
  afterEach(endAll);
  after(async () => {
    await clients?.close();
    await server?.stop();
    at.remove();
  });

  const settings = () => ({
    name: 'shop',
    state: place('state'),
    admin: { port: 0, token: 'secret-of-many' },
    leases: { durationSeconds: 3, renewSeconds: 0.9 },
    limits: { drainSeconds: 2, processes: 2 },
    pipelines: TABLES.map(name => ({
      name,
      source: { ...place(name), table: name, enableStream: true },
      sinks: [{ name: 'all', type: 'written-down', into: join(at.folder, 'all') }],
    })),
  });

  const delivered = () => (existsSync(join(at.folder, 'all')) ? readFileSync(join(at.folder, 'all'), 'utf8').trim().split('\n').length : 0);
  const putAll = (id: string) =>
    Promise.all([...sources].map(([TableName, source]) => source.call('PutItem', { TableName, Item: { id: { S: id } } }, NEVER)));
  const linesOf = (daemon: Running): readonly Line[] =>
    daemon
      .stderr()
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Line);
  const addressOf = async (daemon: Running) => (await daemon.until(/"address":"(http:[^"]+)"/))[1] ?? '';
  const statusOf = async (address: string) => (await (await fetch(`${address}/status`)).json()) as Status;
  const shares = async (address: string) => (await statusOf(address)).processes?.map(({ shardsOwned }) => shardsOwned);
  const pidsOf = async (address: string) => (await statusOf(address)).processes?.map(({ pid }) => pid ?? 0) ?? [];

  async function balanced(args: readonly string[] = []): Promise<{ daemon: Running; address: string }> {
    const daemon = start(['run', '-c', file, ...args], env);
    const address = await addressOf(daemon);
    await eventually(async () => String(await shares(address)) === '2,2');
    return { daemon, address };
  }

  it('two processes share the shards; one port speaks for both, each line says whose it is, SIGTERM ends both with 0', async () => {
    const { daemon, address } = await balanced();
    await putAll('one');
    await eventually(() => delivered() === 4);
    await eventually(async () => (await fetch(`${address}/readyz`)).status === 200);
    expect((await fetch(`${address}/livez`)).status).to.equal(200);
    const status = await statusOf(address);
    expect(status.pipelines.map(({ sinks }) => sinks[0]).map(sink => [sink?.written, sink?.state])).to.deep.equal(
      Array(4).fill([1, 'brisk']),
    );
    expect(new Set(status.processes?.map(({ worker }) => worker))).to.have.property('size', 2);
    const metrics = await (await fetch(`${address}/metrics`)).text();
    expect(metrics)
      .to.match(/tidemark_leases_owned\{[^}]*process="1"\} 2\n/)
      .and.match(/tidemark_leases_owned\{[^}]*process="2"\} 2\n/);
    expect(metrics.match(/^# TYPE tidemark_leases_owned /gm)).to.have.length(1);
    const post = { method: 'POST', headers: { authorization: 'Bearer secret-of-many' } };
    expect((await fetch(`${address}/pipelines/orders0/sinks/all/pause`, post)).status).to.equal(200);
    await eventually(async () => (await statusOf(address)).pipelines[0]?.sinks[0]?.state === 'paused');
    expect((await fetch(`${address}/pipelines/orders0/sinks/all/resume`, post)).status).to.equal(200);
    await eventually(async () => (await statusOf(address)).pipelines[0]?.sinks[0]?.state !== 'paused');
    const from = Date.now();
    daemon.process.kill('SIGTERM');
    expect((await daemon.ended).code).to.equal('0');
    expect(Date.now() - from).to.be.below(3_000);
    const lines = linesOf(daemon);
    expect(new Set(lines.map(({ process }) => process))).to.deep.equal(new Set([undefined, 1, 2]));
    expect(lines.filter(({ msg }) => msg === 'stopped').map(({ process }) => process)).to.have.members([undefined, 1, 2]);
  });

  it('one that is killed is started again and shares again; a signal to all of them, as systemd sends it, ends 0', async () => {
    const { daemon, address } = await balanced();
    const before = delivered();
    const [first, dead = 0] = await pidsOf(address);
    await eventually(async () => (await fetch(`${address}/readyz`)).status === 200);
    process.kill(dead, 'SIGKILL');
    await daemon.until(/process 2 has ended \(SIGKILL\); it is started again/);
    expect(await (await fetch(`${address}/readyz`)).text()).to.match(/^process 2: /);
    await putAll('two');
    await eventually(() => delivered() >= before + 4);
    await eventually(async () => String(await shares(address)) === '2,2');
    const after = await pidsOf(address);
    expect([after[0], after[1] === dead]).to.deep.equal([first, false]);
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).to.equal('0');
  });

  it('all that are killed at once are started again, with the settings that they had, whatever has become of the file', async () => {
    const file = at.file('gone.json', JSON.stringify({ ...settings(), name: 'shop4' }));
    const daemon = start(['run', '-c', file], env);
    const address = await addressOf(daemon);
    await eventually(async () => String(await shares(address)) === '2,2');
    rmSync(file);
    const pids = await pidsOf(address);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await daemon.until(/process 2 has ended \(SIGKILL\); it is started again/);
    await eventually(async () => String(await shares(address)) === '2,2');
    expect((await pidsOf(address)).some(pid => pids.includes(pid))).to.equal(false);
    daemon.kill('SIGTERM');
    expect((await daemon.ended).code).to.equal('0');
  });

  it('a log that nobody can take does not keep them from ending with 0', async () => {
    const full = openSync('/dev/full', 'w');
    const args = ['run', '-c', file, '--set', 'name=shop5', '--log-level', 'debug'];
    const daemon = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', full] });
    closeSync(full);
    const ended = new Promise(resolve => daemon.once('exit', (code, signal) => resolve(code ?? signal)));
    await sleep(2_500);
    daemon.kill('SIGTERM');
    expect(await ended).to.equal(0);
  });

  it('ends all with 78 when no pipeline can run, and 78 at once for a mistake in the file', async () => {
    const none = { ...settings(), pipelines: settings().pipelines.map(one => ({ ...one, source: { ...one.source, table: 'missing' } })) };
    const halted = start(['run', '-c', at.file('none.json', JSON.stringify(none))], env);
    const { code, stderr } = await halted.ended;
    expect([code, stderr.match(/starting 2 processes/g)?.length]).to.deep.equal(['78', 1]);
    expect(stderr).to.match(/^orders0: table missing .*is not there/m);
    const wrong = start(['run', '-c', file, '--set', 'limits.processes=0'], env);
    expect(await wrong.ended).to.deep.include({ code: '78' });
    expect((await start(['run', '-c', file, '--process', '1'], env).ended).code).to.equal('2');
  });

  it('one that does not stop is killed, and the end is 1; a second signal ends all at once', async () => {
    const frozen = await balanced();
    const pids = await pidsOf(frozen.address);
    process.kill(pids[0] ?? 0, 'SIGSTOP');
    const from = Date.now();
    frozen.daemon.process.kill('SIGTERM');
    expect((await frozen.daemon.ended).code).to.equal('1');
    expect(Date.now() - from).to.be.within(3_000, 4_500);
    expect(pids.some(isThere)).to.equal(false);

    const twice = await balanced(['--set', 'limits.drainSeconds=30', '--set', 'name=shop2']);
    const others = await pidsOf(twice.address);
    process.kill(others[0] ?? 0, 'SIGSTOP');
    twice.daemon.process.kill('SIGINT');
    await twice.daemon.until(/stopping: SIGINT/);
    twice.daemon.process.kill('SIGINT');
    expect((await twice.daemon.ended).code).to.equal('130');
    await eventually(() => !others.some(isThere));
  });

  it('workers whose first process is killed stop in order', async () => {
    const { daemon, address } = await balanced(['--set', 'name=shop3']);
    const pids = await pidsOf(address);
    process.kill(daemon.pid, 'SIGKILL');
    await eventually(() => !pids.some(isThere));
  });
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error('it did not come to hold');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
