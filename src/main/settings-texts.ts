/**
 * The texts of the settings files and of standard input (`-c -`), each read once. A process hands them to those that it starts: one that is started
 * again goes on with the settings of the others, whatever has become of the files.
 */
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

const known = new Map<string, string>();

export const isStandardInput = (file: string): boolean => file === '-' || file === '/dev/stdin';

/** Undefined: it cannot be read; whoever reads it again finds out why. */
export async function settingsText(file: string): Promise<string | undefined> {
  const standing = known.get(file);
  if (standing !== undefined) return standing;
  try {
    const read = isStandardInput(file) ? await text(process.stdin) : readFileSync(file, 'utf8');
    known.set(file, read);
    return read;
  } catch {
    return undefined;
  }
}

/** For a process that is started: to be written to its standard input. */
export function textsToHandOver(): string {
  return JSON.stringify([...known]);
}

/** What stands on standard input, of the process that started this one. */
export async function takeTexts(): Promise<void> {
  for (const [file, read] of JSON.parse(await text(process.stdin)) as [string, string][]) known.set(file, read);
}
