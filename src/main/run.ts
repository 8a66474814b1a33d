/** placeholder until the daemon is there */
import type { Command } from 'commander';
import type { Surroundings } from '../wiring.ts';
import type { ExitCode } from './exit.ts';
export async function run(_command: Command, _around: Surroundings): Promise<ExitCode> {
  return 1;
}
