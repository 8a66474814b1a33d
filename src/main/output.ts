/**
 * What a command answers goes to stdout, complete also through a pipe; a reader that has had enough (`| head`) ends the command quietly. What a person
 * should know beside it goes to stderr.
 */

let closed = (): void => process.exit(0);

/** What to do instead of ending at once, for a verb that has work in flight. */
export function whenStdoutCloses(act: () => void): void {
  closed = act;
}

/** From now on a closed stdout is no error. */
export function bearClosedPipes(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') closed();
    else {
      complain(`error: stdout: ${error.message}`);
      process.exitCode = 1;
    }
  });
  // Nobody reads the log any more: there is nowhere left to say so.
  process.stderr.on('error', () => {});
}

/** Resolves when the text has left the process. */
export function print(text: string): Promise<void> {
  return new Promise(resolve => {
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, () => resolve());
  });
}

export function printJson(value: unknown): Promise<void> {
  return print(JSON.stringify(value, null, 2));
}

export function complain(line: string): void {
  process.stderr.write(`${line}\n`);
}
