/** The command line as a process: verbs, exit codes, pipes, signals; the state verbs against a real DynamoDB. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Status } from '../../src/model/status.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { keptLog } from '../fakes/lease-world.ts';
import { type Child, spawnGuarded } from '../servers/child.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const SHARED = { NO_COLOR: '1', AWS_EC2_METADATA_DISABLED: 'true' };

/** A connector of somebody else: one line per record into a file. */
const WRITTEN_DOWN = `
import { appendFileSync } from 'node:fs';
import { z } from 'zod';
export default {
  schema: z.strictObject({ into: z.string(), hangs: z.boolean().default(false) }),
  traits: () => ({
    order: 'key', coalesce: 'never', oncePerKey: false, inFlight: 1, batch: { records: 100, bytes: 100000, waitMs: 0 }, timeoutMs: 5000,
  }),
  open: async options => ({
    async write({ records }) {
      if (options.hangs) await new Promise(() => {});
      for (const { kind, keys } of records) appendFileSync(options.into, kind + ' ' + JSON.stringify(keys) + '\\n');
      return { failed: [] };
    },
    close: async () => {},
  }),
};
`;

interface Ended {
  readonly code: string;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running extends Child {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
  /** Waits until stderr matches. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

const started = new Set<Child>();

function start(args: readonly string[], env: Record<string, string | undefined> = {}): Running {
  const child = spawnGuarded(process.execPath, [MAIN, ...args], { cwd: tmpdir(), env: { ...SHARED, ...env }, output: 'pipe' });
  const texts = { stdout: '', stderr: '' };
  const waiting = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child.process[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
      for (const look of waiting) look();
    });
  }
  child.process.ref();
  started.add(child);
  const closed = new Promise<void>(resolve => child.process.once('close', () => resolve()));
  return {
    ...child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    ended: Promise.all([child.exited, closed]).then(([code]) => ({ code: code.replace('exit ', ''), ...texts })),
    until: pattern =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(texts.stderr);
          if (match === null) return;
          waiting.delete(look);
          resolve(match);
        };
        waiting.add(look);
        look();
        closed.then(() => reject(new Error(`it ended before ${pattern}: ${texts.stderr}`)));
      }),
  };
}

const tidemark = (args: readonly string[], env?: Record<string, string | undefined>): Promise<Ended> => start(args, env).ended;

describe('command line', function () {
  this.timeout(60_000);
  let folder: string;
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
    const home = join(folder, 'node_modules', 'written-down');
    mkdirSync(home, { recursive: true });
    symlinkSync(fileURLToPath(new URL('../../node_modules/zod', import.meta.url)), join(folder, 'node_modules', 'zod'));
    file('node_modules/written-down/package.json', '{ "name": "written-down", "exports": { "import": "./index.mjs" } }');
    file('node_modules/written-down/index.mjs', WRITTEN_DOWN);
  });
  after(() => rmSync(folder, { recursive: true }));
  afterEach(async () => {
    await Promise.all(Array.from(started, child => child.end('SIGKILL')));
    started.clear();
  });

  const settings = (more: { endpoint?: string; top?: string; table?: string } = {}) => `name: shop
state: { region: us-east-1, endpoint: "${more.endpoint ?? 'http://127.0.0.1:1'}", credentials: { accessKeyId: a, secretAccessKey: "\${env:SECRET}" } }
admin: { port: 0 }
limits: { drainSeconds: 2 }
${more.top ?? ''}
pipelines:
  - name: orders
    source: { table: ${more.table ?? 'orders'}, region: us-east-1, endpoint: "${more.endpoint ?? 'http://127.0.0.1:1'}", credentials: { accessKeyId: a, secretAccessKey: b } }
    sinks:
      - { name: eu, type: written-down, into: "${folder}/eu" }
      - { name: us, type: written-down, into: "${folder}/us" }
`;
  const env = { SECRET: 'hunter2-of-the-state' };

  describe('usage', () => {
    it('helps, and hides what is not built', async () => {
      const help = await tidemark(['--help']);
      expect(help.code).to.equal('0');
      for (const verb of ['run', 'validate', 'status', 'pause', 'resume', 'config'])
        expect(help.stdout).to.match(new RegExp(`^  ${verb}\\b`, 'm'));
      for (const verb of ['doctor', 'snapshot', 'verify', 'redrive', 'replay', 'rewind', 'archive']) {
        expect(help.stdout).to.not.match(new RegExp(`^  ${verb}\\b`, 'm'));
      }
      expect((await tidemark(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    });

    it('ends 2 on wrong usage, with a word why', async () => {
      const wrong: [readonly string[], RegExp][] = [
        [[], /Usage/],
        [['frobnicate'], /unknown command/],
        [['snapshot', '--from', 'x'], /snapshot is not built yet/],
        [['archive', 'verify'], /archive is not built yet/],
        [['run', '--frob'], /unknown option/],
        [['run'], /no settings file; name one with -c FILE/],
        [['pause', '-c', file('a.yaml', settings())], /missing required argument/],
        [['pause', 'nobody', '-c', file('a.yaml', settings())], /names no sink; there are: orders\/eu, orders\/us/],
        [['validate', '--log-level', 'loud', '-c', 'x'], /expected one of debug, info/],
        [['config'], /Usage/],
      ];
      for (const [args, why] of wrong) {
        const { code, stdout, stderr } = await tidemark(args, env);
        expect([code, stdout], args.join(' ')).to.deep.equal(['2', '']);
        expect(stderr).to.match(why);
      }
    });
  });

  describe('settings', () => {
    it('validate says that they are good, before or after the options', async () => {
      const good = file('good.yaml', settings());
      expect(await tidemark(['validate', '-c', good], env)).to.deep.equal({
        code: '0',
        stdout: 'settings are good: 1 pipeline, 2 sinks\n',
        stderr: '',
      });
      const json = await tidemark(['-c', good, '--json', 'validate', '--no-secrets']);
      expect(JSON.parse(json.stdout)).to.deep.equal({ valid: true, problems: [], warnings: [] });
    });

    it('validate reports every mistake with its place, and ends 78; so does run, before anything is opened', async () => {
      const bad = file('bad.yaml', settings({ top: 'colour: red\nlog: { level: loud }' }));
      const lines = [
        `${bad}:2:109 state.credentials.secretAccessKey: environment variable SECRET is not set`,
        `${bad}:5:1 colour: unknown setting; allowed: name, state, leases, admin, log, limits, pipelines`,
        `${bad}:6:15 log.level: expected one of debug, info, warn, error, silent`,
      ];
      for (const verb of ['validate', 'run', 'status', 'config print']) {
        const { code, stdout, stderr } = await tidemark([...verb.split(' '), '-c', bad], { SECRET: undefined });
        expect([code, stdout, stderr.trim().split('\n')], verb).to.deep.equal(['78', '', lines]);
      }
      const json = await tidemark(['validate', '--json', '-c', bad], env);
      expect(json.code).to.equal('78');
      expect(JSON.parse(json.stdout)).to.deep.include({ valid: false });
      expect(JSON.parse(json.stdout).problems[0]).to.deep.equal({
        file: bad,
        line: 5,
        column: 1,
        path: 'colour',
        message: 'unknown setting; allowed: name, state, leases, admin, log, limits, pipelines',
      });
    });

    it('config print shows what counts, and no secret', async () => {
      const good = file('good.yaml', settings());
      const { code, stdout } = await tidemark(
        ['config', 'print', '-c', good, '--set', 'admin.token=literal-token', '--log-level', 'warn'],
        env,
      );
      expect(code).to.equal('0');
      expect(stdout).to.include('leaseTable: shop-leases').and.include('level: warn');
      expect(stdout).to.not.include('hunter2').and.not.include('literal-token');
      expect(JSON.parse((await tidemark(['config', 'print', '--json', '-c', good], env)).stdout)).to.have.nested.property('admin.port', 0);
    });

    it('schema and reference are complete through a pipe that is read slowly', async () => {
      const child = start(['config', 'schema']);
      child.process.stdout?.pause();
      await new Promise(resolve => setTimeout(resolve, 500));
      child.process.stdout?.resume();
      const { code, stdout } = await child.ended;
      expect(code).to.equal('0');
      expect(JSON.parse(stdout)).to.have.property('$schema');
      expect((await tidemark(['config', 'reference'])).stdout).to.match(/^# Settings\n/);
    });

    it('a closed pipe ends quietly', async () => {
      const child = start(['config', 'schema']);
      child.process.stdout?.destroy();
      expect(await child.ended).to.deep.include({ code: '0', stderr: '' });
    });
  });

  describe('state', () => {
    let server: Server;
    let good: string;
    before(async () => {
      server = await startDynamoDb();
      good = file('state.yaml', settings({ endpoint: server.endpoint }));
    });
    after(() => server?.stop());

    it('status works while nobody has ever run', async () => {
      const { code, stdout } = await tidemark(['status', '--json', '-c', good], env);
      expect(code).to.equal('0');
      const { pipelines, ...rest } = JSON.parse(stdout);
      expect(rest).to.deep.equal({ name: 'shop', worker: null, ready: null, notReady: [] });
      expect(pipelines[0].tables).to.deep.equal([
        { name: 'orders', streamArn: null, shards: { open: 0, closed: 0, owned: null, waiting: null } },
      ]);
      expect(pipelines[0].sinks[0]).to.include({ name: 'eu', type: 'written-down', state: null, lagSeconds: null, written: null, gaps: 0 });
    });

    it('pause and resume are kept, by any way to name a sink', async () => {
      const state = async () => JSON.parse((await tidemark(['status', '--json', '-c', good], env)).stdout).pipelines[0].sinks[0].state;
      expect(await tidemark(['pause', 'orders/eu', '-c', good], env)).to.deep.include({
        code: '0',
        stdout: 'orders/eu is paused, for all workers\n',
      });
      expect(await state()).to.equal('paused');
      expect((await tidemark(['status', '-c', good], env)).stdout).to.match(/^ {2}eu +written-down +paused +0 +paused by an operator$/m);
      const resumed = await tidemark(['resume', 'orders', 'eu', '--json', '-c', good], env);
      expect(JSON.parse(resumed.stdout)).to.deep.equal({ pipeline: 'orders', sink: 'eu', paused: false });
      expect(await state()).to.equal(null);
      expect((await tidemark(['pause', 'us', '-c', good], env)).code).to.equal('0');
    });

    it('a service that does not answer is worth another try: 75', async () => {
      const { code, stdout, stderr } = await tidemark(['status', '-c', file('away.yaml', settings())], env);
      expect([code, stdout]).to.deep.equal(['75', '']);
      expect(stderr)
        .to.match(/^error: state tables shop-leases and shop-control: /m)
        .and.not.include('hunter2');
    });
  });
  describe('run', () => {
    let server: Server;
    let clients: AwsClients;
    let table: TableApi;
    const never = new AbortController().signal;
    before(async () => {
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
    });

    const put = (id: string) => table.call('PutItem', { TableName: 'orders', Item: { id: { S: id } } }, never);
    const lines = (sink: string) => (existsSync(join(folder, sink)) ? readFileSync(join(folder, sink), 'utf8').trim().split('\n') : []);
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

      const pause = await tidemark(['pause', 'orders/us', '-c', join(folder, 'run.yaml')], env);
      expect(pause.code).to.equal('0');
      await daemon.until(/"sink":"us"[^\n]*paused by request/);
      await put('two');
      await eventually(() => lines('eu').length === 2);
      expect(lines('us')).to.have.length(1);
      await tidemark(['resume', 'orders/us', '-c', join(folder, 'run.yaml')], env);
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
      expect(stderr).to.include(`the admin port 127.0.0.1:${port} cannot be opened`);
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
});

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error('it did not come to hold');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
