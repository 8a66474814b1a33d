/**
 * The workers of the service, each a row of the control table. A worker lives as long as its row's beat moves, seen on our own monotonic clock; its row's
 * bell tells it to look at the leases at once. Nothing that is safe depends on any of this: it only decides who shall have what.
 */
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { ControlStore, Member } from '../ports/control-store.ts';
import type { LeaseKey } from '../ports/lease-store.ts';
import type { Log } from '../ports/log.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { LeaseTiming } from './held-lease.ts';
import type { Candidate } from './lease-targets.ts';

export interface MembershipParts {
  readonly control: Pick<ControlStore, 'members' | 'beat' | 'bell' | 'ring' | 'leave'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly worker: string;
  readonly weight: number;
  readonly timing: LeaseTiming;
  /** Streams that can be read here now. */
  readonly serves: () => readonly string[];
  readonly unable: () => Iterable<LeaseKey>;
  /** Somebody rang. */
  readonly rung: () => void;
}

/** What the keeper of leases needs to know of the others. */
export interface Crew {
  /** Alive as of the last look, this one among them. */
  readonly workers: readonly Candidate[];
  /** When the next of the others counts as dead, unless it gives a sign. */
  readonly nextDeath: Ms | undefined;
  look(signal: AbortSignal): Promise<void>;
  /** Tells a worker to look at the leases. */
  ring(worker: string): void;
}

interface Sighting {
  readonly member: Member;
  readonly since: Ms;
  readonly hasMoved: boolean;
}

const BELL_MS: Ms = 250;
const RUBBISH_AFTER_MS: Ms = 3_600_000;
/** Of beats, for one that was never seen to move: it may have died long ago. */
const FIRST_LOOK_BEATS = 1.5;

export class Membership implements Crew {
  readonly #parts: MembershipParts;
  readonly #ringing = new Map<string, 'once' | 'again'>();
  readonly #gone = new AbortController();
  #seen: ReadonlyMap<string, Sighting> = new Map();
  #lookedAt: Ms | undefined;
  #said: string | undefined;
  #draining = false;
  #troubled = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  get workers(): readonly Candidate[] {
    const others = [...this.#seen.values()].filter(sighting => (this.#lookedAt ?? 0) < this.#deadAt(sighting));
    return [this.#own(), ...others.map(sighting => sighting.member)].map(candidate);
  }

  get nextDeath(): Ms | undefined {
    const ends = [...this.#seen.values()].map(sighting => this.#deadAt(sighting)).filter(at => at > (this.#lookedAt ?? 0));
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Without an answer what was seen last holds on: a control table that is out of reach makes nobody dead. */
  async look(signal: AbortSignal): Promise<void> {
    const asked = this.#parts.clock.elapsed();
    try {
      const members = await this.#parts.control.members(signal);
      this.#seen = new Map(
        members.filter(({ worker }) => worker !== this.#parts.worker).map(member => [member.worker, this.#sighting(member, asked)]),
      );
      this.#lookedAt = asked;
    } catch (error) {
      if (!(error instanceof ServiceFault) || this.#lookedAt === undefined) throw error;
    }
  }

  ring(worker: string): void {
    if (worker === this.#parts.worker) return;
    const isRinging = this.#ringing.has(worker);
    this.#ringing.set(worker, isRinging ? 'again' : 'once');
    if (!isRinging) void this.#ringUntilHeard(worker);
  }

  /** Beats and listens until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, timing } = this.#parts;
    let beatAt = Number.NEGATIVE_INFINITY;
    let heard: number | undefined;
    while (!signal.aborted) {
      await this.#tried(async () => {
        const news = JSON.stringify(this.#own()) !== this.#said;
        if (news || clock.elapsed() - beatAt >= timing.renewMs) {
          beatAt = clock.elapsed();
          await this.#say(signal);
        }
        if (news) await this.#ringAll(signal);
        const bell = await this.#parts.control.bell(this.#parts.worker, signal);
        if (bell !== heard && heard !== undefined) this.#parts.rung();
        heard = bell;
      }, signal);
      await clock.sleep(BELL_MS, signal);
    }
  }

  /** From now on nothing is meant for this worker. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#draining = true;
    await this.#tried(async () => {
      await this.#say(signal);
      await this.#ringAll(signal);
    }, signal);
  }

  async leave(signal: AbortSignal): Promise<void> {
    await this.#tried(async () => {
      await this.#parts.control.leave(this.#parts.worker, signal);
      await this.#ringAll(signal);
    }, signal);
  }

  close(): void {
    this.#gone.abort();
  }

  async #say(signal: AbortSignal): Promise<void> {
    const own = this.#own();
    await this.#parts.control.beat(own, this.#parts.clock.now() + RUBBISH_AFTER_MS, signal);
    this.#said = JSON.stringify(own);
  }

  async #ringAll(signal: AbortSignal): Promise<void> {
    await this.look(signal);
    for (const { id } of this.workers) this.ring(id);
  }

  async #ringUntilHeard(worker: string): Promise<void> {
    while (this.#ringing.has(worker)) {
      this.#ringing.set(worker, 'once');
      await this.#tried(() => this.#parts.control.ring(worker, this.#gone.signal), this.#gone.signal);
      if (this.#ringing.get(worker) === 'once') this.#ringing.delete(worker);
    }
  }

  /** Whatever fails here is tried again at the next beat, or made good by the next scan. */
  async #tried(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work();
      this.#troubled = false;
    } catch (error) {
      if (!(error instanceof ServiceFault)) throw error;
      if (!this.#troubled && !signal.aborted)
        this.#parts.log.warn({ error: error.message }, 'the other workers cannot be told of this one; trying again');
      this.#troubled = true;
    }
  }

  #own(): Omit<Member, 'beat' | 'bell'> {
    const { worker, weight, serves, unable } = this.#parts;
    return { worker, weight, draining: this.#draining, serves: this.#draining ? [] : serves(), unable: [...unable()] };
  }

  #sighting(member: Member, at: Ms): Sighting {
    const before = this.#seen.get(member.worker);
    if (before === undefined) return { member, since: at, hasMoved: false };
    if (before.member.beat === member.beat) return { ...before, member };
    return { member, since: at, hasMoved: true };
  }

  #deadAt({ since, hasMoved }: Sighting): Ms {
    const { durationMs, renewMs } = this.#parts.timing;
    return since + (hasMoved ? durationMs : FIRST_LOOK_BEATS * renewMs);
  }
}

function candidate({ worker, weight, draining, serves, unable }: Omit<Member, 'beat' | 'bell'>): Candidate {
  return { id: worker, weight, draining, serves: new Set(serves), unable: new Set(unable) };
}
