/** `run` with `limits.processes`: starts worker processes and stays beside them; nothing is read or written here. */
import type { LoadedSettings } from '../settings/settings.ts';
import { openLog, type Surroundings, supervisorWorld, workerName } from '../wiring.ts';
import type { ExitCode } from './exit.ts';
import { end, failed, stopOf } from './process-end.ts';
import { Supervisor } from './supervisor.ts';
import { startWorker } from './worker-process.ts';

export async function runMany(loaded: LoadedSettings, processes: number, around: Surroundings): Promise<ExitCode> {
  const worker = workerName();
  // One way to stderr, also for what the processes say: two would mix their lines.
  const log = openLog(loaded, { worker, stream: process.stderr }, around);
  const { clock, random, openAdmin } = supervisorWorld(loaded, log);
  const { name, limits } = loaded.settings;
  const start = (number: number) => startWorker(number, clock);
  const all = new Supervisor({ name, worker, processes, drainMs: limits.drainSeconds * 1000, start, clock, random, log });
  const stop = stopOf(log, () => all.kill());
  for (const warning of loaded.warnings) log.warn({}, warning);
  log.info({ version: around.version, processes }, `starting ${processes} processes`);
  const life = async (): Promise<ExitCode> => {
    const admin = await openAdmin(all, () => all.metricsText());
    log.info({ address: admin.address }, `admin on ${admin.address}, for all processes`);
    const code = await all.run(stop.signal);
    await admin.close();
    log.info({}, 'stopped');
    return code;
  };
  end(log, await life().catch(failed(log, 'cannot start')));
}
