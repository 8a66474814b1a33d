#!/usr/bin/env node
/**
 * The command line: verbs, their options, exit codes. What a verb needs is loaded when it is asked for, so that checking settings opens no client.
 */
import './main/first-signals.ts';
import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import { withCommonOptions } from './main/common-options.ts';
import { EXIT, type ExitCode, UsageError, verdictOn } from './main/exit.ts';
import { bearNoHome } from './main/home.ts';
import { bearClosedPipes, complain } from './main/output.ts';

/** Verbs of the contract that this build does not have; they are not in the help. */
const NOT_BUILT = ['doctor', 'snapshot', 'verify', 'redrive', 'replay', 'rewind', 'archive'];

const { version } = createRequire(import.meta.url)('tidemark/package.json') as { version: string };
const around = { env: process.env, version, colour: process.stderr.isTTY && !process.env['NO_COLOR'] };

type Act = (command: Command) => Promise<ExitCode>;

function commandLine(): Command {
  const program = withCommonOptions(new Command('tidemark'))
    .description('Replicator and change-data-capture daemon for DynamoDB.')
    .version(version)
    .exitOverride();

  verb(program, 'run', 'the daemon: until SIGTERM or SIGINT, which it obeys by finishing what was begun', async command =>
    (await import('./main/run.ts')).run(command, around),
  ).addOption(new Option('--process <number>', 'which of several worker processes this is').hideHelp());
  verb(program, 'validate', 'checks settings without the network and reports every mistake at once', async command =>
    (await import('./main/settings-verbs.ts')).validate(command),
  ).option('--no-secrets', 'where ${env:…} and ${file:…} are not there: leaves them alone');
  verb(program, 'status', 'pipelines, sinks, shards, leases and gaps, from the state tables', async command =>
    (await import('./main/state-verbs.ts')).status(command, around),
  );
  for (const paused of [true, false]) {
    const [name, does] = paused ? ['pause', 'begins nothing any more'] : ['resume', 'goes on; a halted one tries again'];
    verb(program, name, `one sink, for all workers: ${does}`, async command =>
      (await import('./main/state-verbs.ts')).pauseOrResume(command, { names: command.args, paused }, around),
    ).argument('<sink...>', 'PIPELINE/SINK, or the name alone where only one pipeline has it');
  }

  const config = program.command('config').description('settings as a schema, as a reference, as they are');
  const settingsVerbs = () => import('./main/settings-verbs.ts');
  verb(config, 'schema', 'JSON Schema of a settings file, for editors', async () => (await settingsVerbs()).configSchema());
  verb(config, 'reference', 'every option with type, default and meaning, as Markdown', async () =>
    (await settingsVerbs()).configReference(),
  );
  verb(config, 'print', 'the effective settings, secrets redacted', async command => (await settingsVerbs()).configPrint(command));

  for (const name of NOT_BUILT) {
    const hidden = program.command(name, { hidden: true }).allowUnknownOption().allowExcessArguments().helpOption(false);
    const refuse = (): never => {
      throw new UsageError(`${name} is not built yet`);
    };
    hidden.addHelpText('beforeAll', refuse).action(refuse);
  }
  return program;
}

function verb(parent: Command, name: string, description: string, act: Act): Command {
  const command = withCommonOptions(parent.command(name)).description(description);
  return command.action(async () => {
    const code = await act(command);
    // What could not be printed has failed, whatever else went well.
    if (code !== EXIT.done) process.exitCode = code;
  });
}

/** Commander has said its word by then; its own codes are 0 for help and 1 for everything else. */
function codeOf(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const { code, lines } = verdictOn(error);
  for (const line of lines) complain(line);
  return code;
}

bearClosedPipes();
bearNoHome(process.env);
try {
  await commandLine().parseAsync();
} catch (error) {
  process.exitCode = codeOf(error);
}
