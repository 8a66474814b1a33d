/**
 * The local world of the demo and of `npm run stack`: the servers, the table with its stream, and everything that the sinks of config/local.yaml write
 * to. Names are read from that file, so that the two cannot differ.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { portOr } from '../servers/ports.ts';
import { ROOT } from './steps.ts';
import { type Say, startServers, type WorldServers } from './world-servers.ts';
import { localSettings, type Places } from './world-settings.ts';
import { makeTargets } from './world-targets.ts';

export interface World {
  readonly servers: WorldServers;
  /** Names and places, as in the settings. */
  readonly places: Places;
  /** config/local.yaml with the addresses of these servers, without the sinks whose servers are left out. */
  readonly settings: string;
  /** What is not there, and why; one line. */
  readonly leftOut: string | undefined;
  stop(): Promise<void>;
}

/** Starts the servers and makes what the settings name. */
export async function startWorld(say: Say): Promise<World> {
  const servers = await startServers(say);
  try {
    const template = readFileSync(join(ROOT, 'config', 'local.yaml'), 'utf8');
    const { text, places } = localSettings(template, servers, await portOr(9464));
    await makeTargets(places);
    return { servers, places, settings: text, leftOut: servers.leftOut, stop: servers.stop };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}
