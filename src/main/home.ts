/**
 * A user id that the system knows nothing of (a container's or a unit's own choice) has no home directory, and then the AWS SDK fails to look for its
 * files even where everything it needs is in the settings. Such a user gets the root directory, as container runtimes do it.
 */
import { homedir } from 'node:os';

export function bearNoHome(env: NodeJS.ProcessEnv, home: () => string = homedir): void {
  try {
    home();
  } catch {
    env['HOME'] = '/';
  }
}
