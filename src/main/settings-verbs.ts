/** `validate` and `config`: what can be said of settings without the network. */
import type { Command } from 'commander';
import { connectorSchemas, fileSchema } from '../settings/file-schema.ts';
import { type Problem, SettingsError } from '../settings/problem.ts';
import { referenceText } from '../settings/reference.ts';
import { yamlText } from '../settings/yaml-text.ts';
import { commonOptions, settingsOf } from './common-options.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { complain, print, printJson } from './output.ts';

export async function validate(command: Command): Promise<ExitCode> {
  const options = commonOptions(command);
  try {
    const { settings, warnings } = await settingsOf(options, command.opts<{ secrets: boolean }>().secrets);
    for (const warning of warnings) complain(`warning: ${warning}`);
    const sinks = settings.pipelines.reduce((n, pipeline) => n + pipeline.sinks.length, 0);
    if (options.json) await printJson({ valid: true, problems: [], warnings });
    else await print(`settings are good: ${counted(settings.pipelines.length, 'pipeline')}, ${counted(sinks, 'sink')}`);
    return EXIT.done;
  } catch (error) {
    if (!(error instanceof SettingsError) || !options.json) throw error;
    await printJson({ valid: false, problems: error.problems.map(problemJson), warnings: [] });
    return EXIT.settings;
  }
}

function problemJson({ place, path, message }: Problem): object {
  return { ...place, path, message };
}

export async function configPrint(command: Command): Promise<ExitCode> {
  const options = commonOptions(command);
  const { shown, warnings } = await settingsOf(options);
  for (const warning of warnings) complain(`warning: ${warning}`);
  await (options.json ? printJson(shown) : print(yamlText(shown)));
  return EXIT.done;
}

export async function configSchema(): Promise<ExitCode> {
  await printJson(fileSchema(await connectorSchemas()));
  return EXIT.done;
}

export async function configReference(): Promise<ExitCode> {
  await print(referenceText(await connectorSchemas()));
  return EXIT.done;
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
