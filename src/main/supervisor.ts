/**
 * Several worker processes of one `run`. One that ends is started again, after a wait that grows while it keeps ending soon; one that says at its first
 * start that the settings are wrong, or that the start is refused, ends all. A stop is passed on, and who does not end in time is killed. It answers the admin port
 * for all of them.
 */
import { jointMetrics, jointStatus, ofProcess, type Part } from '../admin/joint-status.ts';
import type { Status } from '../model/status.ts';
import type { Ms, SinkName } from '../model/units.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { onAbort } from '../ports/on-abort.ts';
import type { StatusSource } from '../ports/status-source.ts';
import { EXIT, type ExitCode } from './exit.ts';
import type { WorkerEnding, WorkerProcess } from './worker-process.ts';

export interface SupervisorParts {
  readonly name: string;
  /** Its own, for the status of all. */
  readonly worker: string;
  readonly processes: number;
  readonly drainMs: Ms;
  readonly start: (process: number) => WorkerProcess;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** What is said of a process while it cannot speak for itself. */
const STARTS = 'is starting';

interface Slot {
  readonly process: number;
  child?: WorkerProcess;
  silence: string;
}

const FIRST_WAIT_MS: Ms = 500;
const LONGEST_WAIT_MS: Ms = 30_000;
/** Who has run for so long has not failed at its start. */
const STEADY_MS: Ms = 60_000;
/** A worker ends within its drain and a second; this much later it is killed. */
const AFTER_DRAIN_MS: Ms = 1_250;

export class Supervisor implements StatusSource {
  readonly #parts: SupervisorParts;
  readonly #slots: readonly Slot[];
  readonly #stopping = new AbortController();

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    this.#slots = Array.from({ length: parts.processes }, (_, i) => ({ process: i + 1, silence: STARTS }));
  }

  /** Until the signal aborts and all have ended, or one says at its first start that the settings are wrong or the start is refused. */
  async run(signal: AbortSignal): Promise<ExitCode> {
    const deafen = onAbort(signal, () => this.#stopping.abort(signal.reason));
    const codes = await Promise.all(this.#slots.map(slot => this.#keep(slot)));
    deafen();
    return codes.find(isRefusal) ?? codes.find(code => code !== EXIT.done) ?? EXIT.done;
  }

  /** At once: nothing is waited for. */
  kill(): void {
    for (const { child } of this.#slots) child?.kill();
  }

  async status(): Promise<Status> {
    const parts = this.#slots.map(async (slot): Promise<Part> => {
      const said = await this.#asked(slot, child => child.ask({ what: 'status' }) as Promise<Status>);
      return { process: slot.process, pid: slot.child?.pid ?? null, said };
    });
    return jointStatus(this.#parts, await Promise.all(parts));
  }

  async metricsText(): Promise<string> {
    const texts = this.#slots.map(async slot => {
      const said = await this.#asked(slot, async child => ({ text: String(await child.ask({ what: 'metrics' })) }));
      return typeof said === 'string' ? [] : [{ process: slot.process, text: said.text }];
    });
    return jointMetrics((await Promise.all(texts)).flat());
  }

  async notReady(): Promise<readonly string[]> {
    const reasons = this.#slots.map(async slot => {
      const said = await this.#asked(slot, child => child.ask({ what: 'notReady' }) as Promise<readonly string[]>);
      return ofProcess(slot.process, typeof said === 'string' ? [said] : said);
    });
    return (await Promise.all(reasons)).flat();
  }

  /** One that starts, or is about to be started again, is no reason to end the others. */
  async notAlive(): Promise<readonly string[]> {
    const silent = this.#slots.map(async slot => {
      const child = slot.child;
      if (child === undefined || !child.isUp) return [];
      const said = await this.#asked(slot, () => child.ask({ what: 'notReady' }) as Promise<readonly string[]>);
      return typeof said === 'string' && slot.child === child ? ofProcess(slot.process, [said]) : [];
    });
    return (await Promise.all(silent)).flat();
  }

  pause(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'> {
    return this.#request({ what: 'pause', pipeline, sink });
  }

  resume(pipeline: string, sink: SinkName): Promise<'done' | 'unknown'> {
    return this.#request({ what: 'resume', pipeline, sink });
  }

  /** A row of the control table: whichever process is up can write it. */
  async #request(ask: { what: 'pause' | 'resume'; pipeline: string; sink: SinkName }): Promise<'done' | 'unknown'> {
    for (const { child } of this.#slots) {
      if (child?.isUp !== true) continue;
      const answer = await child.ask(ask).catch(() => undefined);
      if (answer === 'done' || answer === 'unknown') return answer;
    }
    throw new Error('no process has answered');
  }

  /** What the process says, or why it says nothing. */
  async #asked<T extends object>(slot: Slot, question: (child: WorkerProcess) => Promise<T>): Promise<T | string> {
    if (slot.child === undefined || !slot.child.isUp) return slot.silence;
    return question(slot.child).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  }

  /** Its life, again and again. */
  async #keep(slot: Slot): Promise<ExitCode> {
    const { clock, random, log } = this.#parts;
    const { signal } = this.#stopping;
    for (let [lives, failures] = [0, 0]; !signal.aborted; lives += 1) {
      const startedAt = clock.elapsed();
      const ending = await this.#life(slot);
      // What one that is started again says may be about this moment, and the others work.
      if (lives === 0 && isRefusal(ending.code)) this.#stopping.abort(new Error(`process ${slot.process} has ended with ${ending.code}`));
      if (signal.aborted) return codeOf(ending);
      failures = clock.elapsed() - startedAt >= STEADY_MS ? 0 : failures;
      const waitMs = Math.round(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures++) * (0.75 + random.next() / 2));
      slot.silence = `has ended (${ending.how}) and is started again`;
      log.error(
        { process: slot.process, end: ending.how, waitMs },
        `process ${slot.process} has ended (${ending.how}); it is started again`,
      );
      await clock.sleep(waitMs, signal);
    }
    return EXIT.done;
  }

  async #life(slot: Slot): Promise<WorkerEnding> {
    const { clock, drainMs, log, start } = this.#parts;
    const child = start(slot.process);
    slot.child = child;
    const over = new AbortController();
    const stop = async () => {
      child.stop(this.#why());
      await clock.sleep(drainMs + AFTER_DRAIN_MS, over.signal);
      if (over.signal.aborted) return;
      log.error({ process: slot.process }, `process ${slot.process} has not ended in time and is killed; its leases expire`);
      child.kill();
    };
    const deafen = onAbort(this.#stopping.signal, stop);
    const ending = await child.ended;
    deafen();
    over.abort();
    delete slot.child;
    return ending;
  }

  #why(): string {
    const { reason } = this.#stopping.signal;
    return reason instanceof Error ? reason.message : 'told to';
  }
}

/** Wrong settings, or others work on a lease table that was to be taken over: it is so for every process. */
function isRefusal(code: number | null): code is typeof EXIT.settings | typeof EXIT.tryAgain {
  return code === EXIT.settings || code === EXIT.tryAgain;
}

/** One that was told by the same signal as this process, before it had begun anything, has ended as it should. */
function codeOf({ code, how }: WorkerEnding): ExitCode {
  if (code === EXIT.terminated || code === EXIT.interrupted || how === 'SIGTERM' || how === 'SIGINT') return EXIT.done;
  return code === EXIT.done || isRefusal(code) ? code : EXIT.failed;
}
