/** How the process ends: the contract's exit codes, and what an error means for them. */
import { SettingsError } from '../settings/problem.ts';

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unavailable: 69,
  tryAgain: 75,
  settings: 78,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Asked for something that there is not; said with the words of the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The code for an error that ended a command, and the lines that tell it. */
export function verdictOn(error: unknown): { readonly code: ExitCode; readonly lines: readonly string[] } {
  if (error instanceof SettingsError) return { code: EXIT.settings, lines: error.message.split('\n') };
  if (error instanceof UsageError) return { code: EXIT.usage, lines: [`error: ${error.message}`] };
  if (!(error instanceof Error)) return { code: EXIT.failed, lines: [`error: ${String(error)}`] };
  return { code: EXIT.failed, lines: [`error: ${error.message}`] };
}
