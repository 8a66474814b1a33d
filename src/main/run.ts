/** `run`: the daemon until a signal, then everything in order: what was begun is finished, telemetry is flushed, the log is written out. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { secretCutter } from '../model/secrets.ts';
import type { Ms } from '../model/units.ts';
import { onAbort } from '../ports/on-abort.ts';
import { daemon } from '../runners/daemon.ts';
import { NothingCanRun } from '../runners/daemon-parts.ts';
import { FleetIsAlive } from '../runners/kcl-takeover.ts';
import { daemonWorld, openLog, type ProcessLog, type Surroundings, type World, workerName } from '../wiring.ts';
import { commonOptions, settingsOf } from './common-options.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { complain } from './output.ts';
import { end, failed, stopOf } from './process-end.ts';
import { runMany } from './run-many.ts';
import { takeTexts } from './settings-texts.ts';
import type { Stop } from './signals.ts';
import { type Answering, workerEnd } from './worker-end.ts';

/** The end may take a second more than the drain; a little of it is kept back for the last steps. */
const AFTER_DRAIN_MS: Ms = 950;
const LONGEST_FLUSH_MS: Ms = 1_000;
const SHORTEST_FLUSH_MS: Ms = 50;

export async function run(command: Command, around: Surroundings): Promise<ExitCode> {
  const { process: number } = command.opts<{ process?: string }>();
  if (number !== undefined) {
    if (process.send === undefined) throw new UsageError('--process is for processes that `run` starts itself; set limits.processes');
    await takeTexts();
  }
  const loaded = await settingsOf(commonOptions(command));
  const processes = processesOf(loaded.settings.limits.processes);
  if (number === undefined && processes > 1) return runMany(loaded, processes, around);
  const worker = workerName();
  const log = openLog(loaded, { worker, ...(number !== undefined && { process: Number(number) }) }, around);
  const stop = stopOf(log);
  const answers = number === undefined ? undefined : workerEnd(stop);
  if (number === undefined) for (const warning of loaded.warnings) log.warn({}, warning);
  log.info({ version: around.version, pipelines: loaded.settings.pipelines.map(({ name }) => name) }, 'starting');
  const world = await daemonWorld(loaded, { log, worker }, around);
  const voice = { log, cut: secretCutter(loaded.secrets), answers };
  end(log, await lifeOf(world, stop, voice).catch(failed(log, 'cannot start')));
}

function processesOf(set: number | 'auto'): number {
  return set === 'auto' ? availableParallelism() : set;
}

interface Voice {
  readonly log: ProcessLog;
  /** For what is said beside the log. */
  readonly cut: (text: string) => string;
  /** Of one process among several: whoever has started it answers the admin port. */
  readonly answers: ((answering: Answering) => void) | undefined;
}

async function lifeOf(world: World, stop: Stop, voice: Voice): Promise<ExitCode> {
  const { clock } = world.parts;
  const stopped = Promise.withResolvers<Ms>();
  onAbort(stop.signal, () => stopped.resolve(clock.elapsed()));
  const code = await outcomeOf(world, stop, voice);
  const stoppedAt = stop.signal.aborted ? await stopped.promise : clock.elapsed();
  const leftMs = stoppedAt + world.plan.limits.drainMs + AFTER_DRAIN_MS - clock.elapsed();
  await world.telemetry.close(Math.min(LONGEST_FLUSH_MS, Math.max(SHORTEST_FLUSH_MS, leftMs)));
  voice.log.info({}, 'stopped');
  return code;
}

async function outcomeOf(world: World, stop: Stop, { log, cut, answers }: Voice): Promise<ExitCode> {
  const work = daemon(world.plan, world.parts);
  world.telemetry.show(() => work.gauges());
  const admin = answers === undefined ? await world.openAdmin(work) : undefined;
  if (admin !== undefined) log.info({ address: admin.address }, `admin on ${admin.address}`);
  answers?.({ source: work, metricsText: world.telemetry.metricsText });
  try {
    await work.run(stop.signal);
    return EXIT.done;
  } catch (error) {
    if (error instanceof NothingCanRun) {
      for (const reason of error.reasons) complain(cut(reason));
      return EXIT.settings;
    }
    if (error instanceof FleetIsAlive) {
      log.error({}, error.message);
      complain(cut(error.message));
      return EXIT.tryAgain;
    }
    return failed(log, 'the daemon ended with an error')(error);
  } finally {
    await admin?.close();
  }
}
