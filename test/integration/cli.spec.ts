/** The command line as a process: usage, exit codes, pipes; the state verbs against a real DynamoDB. */
import { spawn, spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { expect } from 'chai';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { type Desk, desk, endAll, env, MAIN, start, tidemark } from './cli-desk.ts';

describe('command line', function () {
  this.timeout(60_000);
  let at: Desk;
  let file: Desk['file'];
  let settings: Desk['settings'];
  before(() => {
    at = desk();
    ({ file, settings } = at);
  });
  after(() => at.remove());
  afterEach(endAll);

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
        [['help', 'doctor'], /^error: doctor is not built yet$/m],
        [['doctor', '--help'], /^error: doctor is not built yet$/m],
        [['help', 'frobnicate'], /unknown command|Usage/],
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
    it('what cannot be printed is a failure', () => {
      // A file opened for reading takes no output.
      const args = ['config', 'schema'];
      const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        stdio: ['ignore', openSync(MAIN, 'r'), 'pipe'],
        encoding: 'utf8',
      });
      expect([status, stderr]).to.deep.equal([1, 'error: stdout: EBADF: bad file descriptor, write\n']);
    });

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

    it('takes settings from standard input, and says of their mistakes where', () => {
      for (const name of ['-', '/dev/stdin']) {
        const ask = (input: string) =>
          spawnSync(process.execPath, [MAIN, 'validate', '-c', name], {
            input,
            encoding: 'utf8',
            env: { ...process.env, ...env },
            cwd: at.folder,
          });
        const good = ask(settings());
        expect([good.status, good.stdout, good.stderr]).to.deep.equal([0, 'settings are good: 1 pipeline, 2 sinks\n', '']);
        const bad = ask(`${settings()}colour: red\n`);
        expect([bad.status, bad.stdout]).to.deep.equal([78, '']);
        expect(bad.stderr).to.match(/^-:\d+:1 colour: unknown setting/);
      }
      const twice = spawnSync(process.execPath, [MAIN, 'validate', '-c', '-', '-c', '-'], { input: '', encoding: 'utf8' });
      expect([twice.status, twice.stderr]).to.deep.equal([2, 'error: standard input can be read once only: name it with one -c\n']);
    });

    it('a signal while it still loads or waits for its settings ends it at once', async () => {
      for (const [signal, code] of [
        ['SIGTERM', 143],
        ['SIGINT', 130],
      ] as const) {
        const child = spawn(process.execPath, [MAIN, 'run', '-c', '-'], { stdio: ['pipe', 'ignore', 'pipe'] });
        const ended = new Promise(resolve => child.once('close', (...how) => resolve(how)));
        let stderr = '';
        child.stderr.setEncoding('utf8').on('data', text => (stderr += text));
        await new Promise(resolve => setTimeout(resolve, 2_500));
        const from = Date.now();
        child.kill(signal);
        expect([await ended, stderr]).to.deep.equal([[code, null], '']);
        expect(Date.now() - from).to.be.below(500);
      }
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
});
