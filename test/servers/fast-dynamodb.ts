/**
 * DynamoDB Local 1.25.1 with a clock that runs faster: at a thousand times a shard rolls each 14 s, and is trimmed from 86 s on. The library that changes
 * its clock is Debian's `libfaketime`. Such a server forgets idle connections within 30 ms: whoever asks it must try again.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from './child.ts';
import { localPlan } from './dynamodb.ts';
import { debianPackage } from './packages.ts';
import { type Server, startServer } from './server.ts';

export interface FastServer extends Server {
  /** From now on its clock runs so fast. */
  pace(speed: number): void;
}

/** So much is added at a change of pace, in seconds: its clock must never go back. */
const AHEAD_S = 60;

export async function startFastDynamoDb(speed: number): Promise<FastServer> {
  const library = await faketimeLibrary();
  const folder = temporaryFolder('pace');
  const file = join(folder, 'pace');
  const begun = { at: performance.now(), offset: 0, speed };
  const say = () => writeFileSync(file, `+${begun.offset} x${begun.speed}\n`);
  say();
  const server = await startServer({
    ...(await localPlan('1.25.1')),
    env: { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1' },
  });
  return {
    ...server,
    pace(next) {
      // What it gained so far by its speed is kept; the speed counts from the process's start.
      const passed = (performance.now() - begun.at) / 1_000;
      begun.offset = Math.ceil(begun.offset + passed * (begun.speed - next)) + AHEAD_S;
      begun.speed = next;
      say();
    },
    stop: () => server.stop().finally(() => removeFolder(folder)),
  };
}

/** Where it is installed, else from the cache. */
export async function faketimeLibrary(): Promise<string> {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const file = `usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`;
  if (existsSync(join('/', file))) return join('/', file);
  const unpacked = join(await debianPackage('libfaketime'), file);
  if (!existsSync(unpacked)) throw new Error(`Debian's libfaketime has no ${file}`);
  return unpacked;
}

/** Why it cannot be had here, in a line; undefined where it can. */
export function noFaketime(): Promise<string | undefined> {
  return faketimeLibrary().then(
    () => undefined,
    (error: Error) => `no libfaketime (a Debian package), so no shard of a real server rolls here: ${error.message.split('\n')[0]}`,
  );
}
