/**
 * `node bootstrap.mjs SCRIPT ARGS`: runs a TypeScript file of this repository under the Node that package-lock.json pins, on a host that has only some
 * older Node (>= 20.19), and on a fresh clone: it installs first where node_modules is missing or is not what the lock file says. So it is plain
 * JavaScript and imports nothing. Nothing is printed to stdout but what the script prints.
 *
 * The script runs in a process group of its own. A terminal sends Ctrl-C to npm and to us, and npm sends it on to us: the script hears it once. When npm
 * or its shell disappears the script is asked to end too; when we are killed, the guard kills it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, existsSync, constants as fsConstants, mkdirSync, readFileSync } from 'node:fs';
import { constants, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
const SAME_SIGNAL_MS = 300;
const WATCH_MS = 500;

const [script, ...args] = process.argv.slice(2);
if (!installed()) install();
// kafkajs sets timers to the past; that is no news to who runs our scripts.
const quiet = script.startsWith('test/') ? ['--disable-warning=TimeoutNegativeWarning'] : [];
run([...quiet, resolve(ROOT, script), ...args]);

/** Whether each package of the lock file is there in its version. (Times of files say little after a checkout.) */
function installed() {
  const [wanted, found] = ['package-lock.json', 'node_modules/.package-lock.json'].map(file => packagesOf(join(ROOT, file)));
  if (!found || !existsSync(NODE)) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || (found[path] ? found[path].version === version : optional),
  );
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

function install() {
  process.stderr.write('Installing what package-lock.json says (npm ci)\n');
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const env = homeWritable() ? process.env : { ...process.env, npm_config_cache: join(ROOT, '.cache', 'npm') };
  const { status } = spawnSync(command, [...first, 'ci', '--loglevel=error'], { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('npm ci failed: see above. Nothing was started');
  if (!installed()) fail('npm ci ended well, yet node_modules is not what package-lock.json says: remove node_modules and try again');
}

/** Users of containers and daemons often have no home folder, or one that is not theirs. */
function homeWritable() {
  try {
    const folder = join(homedir(), '.npm');
    mkdirSync(folder, { recursive: true });
    accessSync(folder, fsConstants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function run(nodeArgs) {
  const child = spawn(NODE, nodeArgs, { stdio: 'inherit', detached: true });
  const guard = spawn(process.execPath, [join(ROOT, 'test/servers/guard.mjs')], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
  guard.stdin.on('error', () => undefined);
  guard.stdin.write(`${JSON.stringify({ add: child.pid })}\n`);

  let last = Number.NEGATIVE_INFINITY;
  const forward = signal => {
    if (performance.now() - last > SAME_SIGNAL_MS) child.kill(signal);
    last = performance.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => forward(signal));

  const from = lineage();
  const watch = setInterval(() => {
    if (lineage() === from) return;
    clearInterval(watch);
    forward('SIGTERM');
  }, WATCH_MS);

  child.on('error', error => fail(`${NODE}: ${error.message}`));
  child.on('exit', (code, signal) => {
    guard.stdin.end(`${JSON.stringify({ drop: child.pid })}\n`);
    process.exit(code ?? 128 + constants.signals[signal]);
  });
}

/** Who started us: our parent, and where that is a shell between npm and us, npm too. It changes when one of them has ended. */
function lineage() {
  const parent = process.ppid;
  try {
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8');
    const [, shell] = /\((?:ba|da|z|k)?(sh)\)/.exec(stat) ?? [];
    const grandparent = stat.slice(stat.lastIndexOf(')')).split(' ')[2];
    return process.env.npm_lifecycle_event && shell ? `${parent} ${grandparent}` : `${parent}`;
  } catch {
    return `${parent}`;
  }
}
