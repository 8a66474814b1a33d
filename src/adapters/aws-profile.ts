/** AWS_PROFILE that names what is in none of the AWS files: the SDK says only that nobody gave credentials, or that there is no region. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export type ReadText = (file: string) => string | undefined;

/** What is wrong with the profile that the environment names; undefined when it names none, or one that is there. */
export function profileProblem(env: Readonly<Record<string, string | undefined>>, read: ReadText = textOf): string | undefined {
  const profile = env['AWS_PROFILE'];
  if (profile === undefined || profile === '') return undefined;
  const config = env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws', 'config');
  const credentials = env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials');
  const isThere = [config, credentials].some(file => sectionsOf(read(file) ?? '').has(profile));
  return isThere ? undefined : `AWS_PROFILE names the profile ${profile}, which stands neither in ${config} nor in ${credentials}`;
}

function sectionsOf(text: string): ReadonlySet<string> {
  const heads = text.matchAll(/^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/gm);
  return new Set(Array.from(heads, ([, name = '']) => name));
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
