/** `run`: the daemon until a signal, then everything in order: what was begun is finished, telemetry is flushed, the log is written out. */
import type { Command } from 'commander';
import { secretCutter } from '../model/secrets.ts';
import type { Ms } from '../model/units.ts';
import { daemon } from '../runners/daemon.ts';
import { NothingCanRun } from '../runners/daemon-parts.ts';
import { daemonWorld, openLog, type ProcessLog, type Surroundings, type World, workerName } from '../wiring.ts';
import { commonOptions, settingsOf } from './common-options.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { complain, whenStdoutCloses } from './output.ts';
import { type Stop, stopOnSignals } from './signals.ts';

/** The end may take a second more than the drain; a little of it is kept back for the last steps. */
const AFTER_DRAIN_MS: Ms = 950;
const LONGEST_FLUSH_MS: Ms = 1_000;
const SHORTEST_FLUSH_MS: Ms = 50;

export async function run(command: Command, around: Surroundings): Promise<ExitCode> {
  const loaded = await settingsOf(commonOptions(command));
  const worker = workerName();
  const log = openLog(loaded, worker, around);
  endOnSurprise(log);
  const stop = stopOnSignals(
    why => log.info({}, `stopping: ${why}`),
    code => end(log, code),
  );
  whenStdoutCloses(() => stop.request('stdout was closed'));
  for (const warning of loaded.warnings) log.warn({}, warning);
  log.info({ version: around.version, pipelines: loaded.settings.pipelines.map(({ name }) => name) }, 'starting');
  const world = await daemonWorld(loaded, { log, worker }, around);
  end(log, await lifeOf(world, stop, { log, cut: secretCutter(loaded.secrets) }).catch(failed(log, 'cannot start')));
}

function failed(log: ProcessLog, what: string): (error: unknown) => ExitCode {
  return error => {
    log.fatal({ error }, `${what}: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  };
}

/** Leaves the process; a socket or timer that somebody forgot does not keep it. */
function end(log: ProcessLog, code: ExitCode): never {
  log.flush();
  process.exit(code);
}

/** A mistake of ours: what was not finished is read again by whoever goes on. */
function endOnSurprise(log: ProcessLog): void {
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ error }, 'a surprise, the process ends');
      end(log, EXIT.failed);
    });
  }
}

interface Voice {
  readonly log: ProcessLog;
  /** For what is said beside the log. */
  readonly cut: (text: string) => string;
}

async function lifeOf(world: World, stop: Stop, voice: Voice): Promise<ExitCode> {
  const { clock } = world.parts;
  const stopped = Promise.withResolvers<Ms>();
  stop.signal.addEventListener('abort', () => stopped.resolve(clock.elapsed()));
  const code = await outcomeOf(world, stop, voice);
  const stoppedAt = stop.signal.aborted ? await stopped.promise : clock.elapsed();
  const leftMs = stoppedAt + world.plan.limits.drainMs + AFTER_DRAIN_MS - clock.elapsed();
  await world.telemetry.close(Math.min(LONGEST_FLUSH_MS, Math.max(SHORTEST_FLUSH_MS, leftMs)));
  voice.log.info({}, 'stopped');
  return code;
}

async function outcomeOf(world: World, stop: Stop, { log, cut }: Voice): Promise<ExitCode> {
  const work = daemon(world.plan, world.parts);
  world.telemetry.show(() => work.gauges());
  const admin = await world.openAdmin(work);
  log.info({ address: admin.address }, `admin on ${admin.address}`);
  try {
    await work.run(stop.signal);
    return EXIT.done;
  } catch (error) {
    if (error instanceof NothingCanRun) {
      for (const reason of error.reasons) complain(cut(reason));
      return EXIT.settings;
    }
    return failed(log, 'the daemon ended with an error')(error);
  } finally {
    await admin.close();
  }
}
