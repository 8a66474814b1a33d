/** What a server said, without its full stop: a sentence of ours goes on after it. */
export function withoutStop(said: string): string {
  return said.replace(/[.\s]+$/, '');
}
