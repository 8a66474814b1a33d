/** Keeps what a secret stands for out of texts that leave the process: logs, error texts, what is printed of the settings. */

export const REDACTED = '[redacted]';

/** Shorter secrets would be found in every other word; where their field or origin is known they are redacted all the same. */
const SHORTEST = 6;

/** A function that cuts the secrets out of a text, also as they stand inside a JSON text. */
export function secretCutter(secrets: Iterable<string>): (text: string) => string {
  const written = Array.from(secrets).flatMap(secret => [secret, JSON.stringify(secret).slice(1, -1)]);
  const longestFirst = [...new Set(written)].filter(text => text.length >= SHORTEST).toSorted((a, b) => b.length - a.length);
  return text => longestFirst.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}
