/** Standard input as a settings file (`-c -`): read once, and kept for whoever else needs it. */
import { text } from 'node:stream/consumers';

let read: Promise<string> | undefined;
let known: string | undefined;

export const isStandardInput = (file: string): boolean => file === '-' || file === '/dev/stdin';

export function standardInput(): Promise<string> {
  read ??= text(process.stdin).then(given => {
    known = given;
    return given;
  });
  return read;
}

/** What it was, if it was read. */
export function knownInput(): string | undefined {
  return known;
}
