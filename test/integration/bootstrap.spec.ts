/** npm in front of a script: a signal to npm alone reaches the script, once; and the script does not outlive npm, its shell or the bootstrap. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { removeFolder, temporaryFolder } from '../servers/child.ts';

const BOOTSTRAP = fileURLToPath(new URL('../run/bootstrap.mjs', import.meta.url));

// Writes down what happens to it; ends with code 7 half a second after it was asked.
const SCRIPT = `
import { appendFileSync } from 'node:fs';
const [, , log] = process.argv;
const say = line => appendFileSync(log, line + '\\n');
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { say(signal); setTimeout(() => process.exit(7), 500); });
setInterval(() => {}, 1000);
say('pid ' + process.pid);
`;

describe('bootstrap', () => {
  let folder: string;
  let log: string;
  let command: string;

  beforeEach(() => {
    folder = temporaryFolder('bootstrap');
    log = join(folder, 'log');
    const script = join(folder, 'script.ts');
    writeFileSync(script, SCRIPT);
    command = `node ${BOOTSTRAP} ${script} ${log}`;
  });
  afterEach(() => removeFolder(folder));

  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  const start = async (shell: string): Promise<ChildProcess> => {
    const child = spawn('sh', ['-c', shell], { stdio: 'ignore', env: { ...process.env, npm_lifecycle_event: 'x' } });
    await until(() => lines().length > 0);
    return child;
  };
  const scriptRuns = () => {
    try {
      process.kill(Number(lines()[0]?.slice(4)), 0);
      return true;
    } catch {
      return false;
    }
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`passes ${signal} on, once where it comes twice, and the exit code back`, async () => {
      const child = await start(`exec ${command}`);
      child.kill(signal);
      await sleep(30);
      child.kill(signal);
      expect(await once(child, 'exit')).eql([7, null]);
      expect(lines().slice(1)).eql([signal]);
    });
  }

  it('asks the script to end when who started us is gone', async () => {
    const child = await start(`${command} & wait`);
    child.kill('SIGKILL');
    await until(() => !scriptRuns());
    expect(lines().slice(1)).eql(['SIGTERM']);
  });

  it('takes the script with it when it is killed', async () => {
    const child = await start(`exec ${command}`);
    child.kill('SIGKILL');
    await until(() => !scriptRuns());
    expect(lines()).length(1);
  });
});

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(50);
}
