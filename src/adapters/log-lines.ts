/**
 * Lines on their way to stderr, which is never waited for: a reader that does not read loses lines beyond a limit, and a stderr that cannot be written any
 * more (a full disk, a terminal that has gone) loses what stands in line. What pino brings for this tries for ever at the end, so that a process whose
 * terminal had gone never ended.
 */
import { write, writeSync } from 'node:fs';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';

/** A file descriptor, as far as it is needed here. */
export interface LineTarget {
  write(bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
  writeSync(bytes: Buffer): number;
  /** Blocks the process. */
  pause(ms: Ms): void;
}

/** What waits for a reader that does not read; beyond that, lines are lost. */
const WAITING_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const AGAIN_MS: Ms = 50;
/** The end of a process waits so long for a reader that is slow, in all. */
const LAST_MS: Ms = 200;
const LAST_AGAIN_MS: Ms = 5;

export class LogLines {
  readonly #target: LineTarget;
  readonly #clock: Clock;
  #lines: Buffer[] = [];
  #bytes = 0;
  /** Handed over; how much of it was taken is not known yet. */
  #underWay: Buffer | undefined;

  constructor(target: LineTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#bytes + bytes.length > WAITING_BYTES) return;
    this.#lines.push(bytes);
    this.#bytes += bytes.length;
    this.#next();
  }

  /** Writes out what waits, at once, as far as somebody takes it. */
  flush(): void {
    let rest = Buffer.concat(this.#lines);
    this.#forget();
    for (let waitedMs = 0; rest.length > 0 && waitedMs < LAST_MS; ) {
      try {
        rest = rest.subarray(this.#target.writeSync(rest));
      } catch (error) {
        if (!mayPass(error)) return;
        this.#target.pause(LAST_AGAIN_MS);
        waitedMs += LAST_AGAIN_MS;
      }
    }
  }

  #next(): void {
    if (this.#underWay !== undefined || this.#lines.length === 0) return;
    const chunk = this.#take();
    this.#underWay = chunk;
    this.#target.write(chunk, (error, written) => {
      this.#underWay = undefined;
      const rest = error === null ? chunk.subarray(written) : mayPass(error) ? chunk : undefined;
      // What cannot be written is lost, and with it what stands behind it; the next line tries anew.
      if (rest === undefined) return this.#forget();
      if (rest.length > 0) this.#lines.unshift(rest);
      this.#bytes += rest.length;
      if (error === null) this.#next();
      else this.#clock.after(AGAIN_MS, () => this.#next());
    });
  }

  #take(): Buffer {
    let [count, bytes] = [0, 0];
    while (count < this.#lines.length && (count === 0 || bytes < CHUNK_BYTES)) bytes += this.#lines[count++]?.length ?? 0;
    this.#bytes -= bytes;
    return Buffer.concat(this.#lines.splice(0, count));
  }

  #forget(): void {
    this.#lines = [];
    this.#bytes = 0;
  }
}

function mayPass(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR';
}

const STDERR = 2;

export const stderrTarget: LineTarget = {
  write: (bytes, done) => write(STDERR, bytes, done),
  writeSync: bytes => writeSync(STDERR, bytes),
  pause: ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};
