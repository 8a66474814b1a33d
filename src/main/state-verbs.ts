/** `status`, `pause`, `resume`: from and into the state tables, whether a worker runs or not. */
import type { Command } from 'commander';
import { secretCutter } from '../model/secrets.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { storedStatus } from '../runners/stored-status.ts';
import type { LoadedSettings, Settings } from '../settings/settings.ts';
import { openLog, openStores, type Stores, type Surroundings, workerName } from '../wiring.ts';
import { commonOptions, settingsOf } from './common-options.ts';
import { EXIT, type ExitCode, UsageError } from './exit.ts';
import { complain, print, printJson } from './output.ts';
import { statusText } from './status-text.ts';

/** Nothing here is stopped half way: a signal ends the process as the system does. */
const never = new AbortController().signal;

export async function status(command: Command, around: Surroundings): Promise<ExitCode> {
  const options = commonOptions(command);
  const loaded = await settingsOf(options);
  return withStores(loaded, around, async stores => {
    const stored = await storedStatus(loaded.settings, stores, never);
    await (options.json ? printJson(stored.status) : print(statusText(stored)));
  });
}

export async function pauseOrResume(
  command: Command,
  { names, paused }: { readonly names: readonly string[]; readonly paused: boolean },
  around: Surroundings,
): Promise<ExitCode> {
  const options = commonOptions(command);
  const loaded = await settingsOf(options);
  const { pipeline, sink } = sinkNamed(loaded.settings, names);
  return withStores(loaded, around, async ({ control }) => {
    await control.prepare(never);
    await control.ask(pipeline, sink, paused, never);
    if (options.json) await printJson({ pipeline, sink, paused });
    else await print(`${pipeline}/${sink} is ${paused ? 'paused' : 'resumed'}, for all workers`);
  });
}

/** `PIPELINE SINK`, `PIPELINE/SINK`, or a sink's name alone where only one pipeline has it. */
export function sinkNamed({ pipelines }: Settings, names: readonly string[]): { readonly pipeline: string; readonly sink: string } {
  const parts = names.flatMap(name => name.split('/'));
  const all = pipelines.flatMap(pipeline => pipeline.sinks.map(sink => ({ pipeline: pipeline.name, sink: sink.name })));
  const [first, second] = parts;
  const found = all.filter(it => (second === undefined ? it.sink === first : it.pipeline === first && it.sink === second));
  const [one] = found;
  if (one !== undefined && found.length === 1 && parts.length <= 2) return one;
  const known = all.map(it => `${it.pipeline}/${it.sink}`).join(', ');
  throw new UsageError(`${names.join(' ')} names ${found.length > 1 ? 'several sinks' : 'no sink'}; there are: ${known}`);
}

async function withStores(loaded: LoadedSettings, around: Surroundings, act: (stores: Stores) => Promise<void>): Promise<ExitCode> {
  const log = openLog(loaded, { worker: workerName() }, around);
  for (const warning of loaded.warnings) log.warn({}, warning);
  const stores = openStores(loaded, log);
  try {
    await act(stores);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof ServiceFault)) throw error;
    const { leaseTable, controlTable } = loaded.settings.state;
    complain(secretCutter(loaded.secrets)(`error: state tables ${leaseTable} and ${controlTable}: ${error.name}: ${error.message}`));
    return PASSING.has(error.class) ? EXIT.tryAgain : EXIT.failed;
  } finally {
    await stores.close();
    log.flush();
  }
}

/** What may well be over at the next try. */
const PASSING: ReadonlySet<string> = new Set(['throttled', 'network', 'server', 'expired']);
