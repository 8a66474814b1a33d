/** What every verb takes, before the verb or after it, and the settings that come of it. */
import type { Command } from 'commander';
import { loadSettings } from '../settings/load.ts';
import { LOG_LEVELS, type LoadedSettings } from '../settings/settings.ts';
import { UsageError } from './exit.ts';
import { isStandardInput, settingsText } from './settings-texts.ts';

export interface CommonOptions {
  readonly config: readonly string[];
  readonly set: readonly string[];
  readonly json: boolean;
}

const gather = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

const level = (value: string): string => {
  if ((LOG_LEVELS as readonly string[]).includes(value)) return value;
  throw new UsageError(`--log-level ${value}: expected one of ${LOG_LEVELS.join(', ')}`);
};

export function withCommonOptions(command: Command): Command {
  return command
    .option('-c, --config <file>', 'settings file, or - for standard input; may be given several times, later ones win', gather)
    .option('--set <path=value>', 'one setting over the files, as admin.port=0; may be given several times', gather)
    .option('--log-level <level>', `least level that is logged: ${LOG_LEVELS.join(', ')}`, level)
    .option('--json', 'machine-readable on stdout');
}

/** Of a verb and of what stands before it. */
export function commonOptions(command: Command): CommonOptions {
  const levels: Command[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) levels.unshift(at);
  const all = levels.map(at => at.opts<{ config?: string[]; set?: string[]; logLevel?: string; json?: boolean }>());
  const logLevel = all.findLast(options => options.logLevel !== undefined)?.logLevel;
  return {
    config: all.flatMap(options => options.config ?? []),
    set: [...all.flatMap(options => options.set ?? []), ...(logLevel === undefined ? [] : [`log.level=${logLevel}`])],
    json: all.some(options => options.json === true),
  };
}

/** Throws a SettingsError with every mistake, or a UsageError where no file is named. */
export async function settingsOf({ config, set }: CommonOptions, lookUpSecrets = true): Promise<LoadedSettings> {
  if (config.length === 0) throw new UsageError('no settings file; name one with -c FILE');
  if (config.filter(isStandardInput).length > 1) throw new UsageError('standard input can be read once only: name it with one -c');
  const files = await Promise.all(
    config.map(async file => {
      const text = await settingsText(file);
      return text === undefined ? file : { file: isStandardInput(file) ? '-' : file, text };
    }),
  );
  return loadSettings({ files, set, env: process.env, lookUpSecrets });
}
