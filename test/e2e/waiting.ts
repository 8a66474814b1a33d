/** Waiting for what a daemon does, with an end to patience that says what was awaited. Real time: these tests talk to real processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkStatus } from '../../src/model/status.ts';
import type { DaemonProcess } from '../run/daemon-process.ts';

export { sleep };

const LOOK_EVERY_MS = 100;

/** Resolves with the first answer that is neither undefined nor false. */
export async function until<T>(what: string, look: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await look();
    if (answer !== undefined && answer !== null && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`after ${limitMs / 1000} s still not: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

export async function sinksOf(daemon: DaemonProcess): Promise<readonly SinkStatus[]> {
  return (await daemon.status())?.pipelines[0]?.sinks ?? [];
}

export async function sinkOf(daemon: DaemonProcess, name: string): Promise<SinkStatus | undefined> {
  return (await sinksOf(daemon)).find(sink => sink.name === name);
}

/** Every sink holds shards and has read something. */
export async function delivering(daemon: DaemonProcess): Promise<void> {
  await awaited(daemon, 'every sink has read something', sinks => sinks.every(({ read, state }) => (read ?? 0) > 0 && state !== 'waiting'));
}

/** Nothing is outstanding at any sink, several times in a row: longer than a pause between two reads. */
export async function idle(daemon: DaemonProcess, limitMs = 60_000): Promise<void> {
  let quiet = 0;
  const look = (sinks: readonly SinkStatus[]) => {
    const still = sinks.every(({ open, lagSeconds, state }) => open === 0 && lagSeconds === 0 && state === 'brisk');
    quiet = still ? quiet + 1 : 0;
    return quiet >= 8;
  };
  await awaited(daemon, 'all sinks are idle', look, limitMs);
}

/** As `until`, with what the daemon said when it was in vain. */
export async function awaited(
  daemon: DaemonProcess,
  what: string,
  ...[holds, limitMs = 30_000]: [holds: (sinks: readonly SinkStatus[]) => boolean, limitMs?: number]
): Promise<void> {
  let last: readonly SinkStatus[] = [];
  const look = async () => {
    last = await sinksOf(daemon);
    if (!daemon.child.running()) throw new Error(`while awaited: ${what}`);
    return last.length > 0 && holds(last);
  };
  await until(what, look, limitMs).catch(error => {
    const running = daemon.child.running() ? 'runs' : 'has ended';
    throw new Error(`${error.message}; the daemon ${running}; its last status: ${JSON.stringify(last)}
${daemon.log().slice(-3000)}`);
  });
}
