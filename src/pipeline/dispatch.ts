/**
 * What is written next. Records wait in queues by key; batches are cut from keys that are free, first come first served, one group a batch. A failed
 * record goes back to the head of its key's queue and frees its neighbours, so one key that is retried for ever does not stop the others.
 * `order: partition` is one key; `order: none` gives each record a key of its own. Pure but for its own state: time is an argument.
 */
import type { Ms } from '../model/units.ts';
import type { Cut, CutNow } from './cut.ts';
import type { DeliveryPlan } from './delivery-plan.ts';
import type { Entry } from './entry.ts';
import { Group, type KeyQueue, keyQueue } from './key-queue.ts';

export class Dispatch {
  readonly #plan: DeliveryPlan;
  readonly #queues = new Map<string, KeyQueue>();
  readonly #groups = new Map<string, Group>();
  /** Free but not due yet. */
  readonly #delayed = new Set<KeyQueue>();
  /** Halves of bisected batches, in the order in which they are written, one at a time: they may share keys. */
  #planned: Cut[] = [];
  #half: Cut | undefined;
  #inFlight = 0;

  constructor(plan: DeliveryPlan) {
    this.#plan = plan;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Nothing waits and nothing is in flight. */
  get isIdle(): boolean {
    return this.#queues.size === 0;
  }

  /** Something waits for its retry. */
  get isRetrying(): boolean {
    return this.#delayed.size > 0;
  }

  enqueue(entry: Entry): void {
    const queue = this.#queueOf(entry);
    const first = queue.entries.length === 0;
    queue.entries.push(entry);
    queue.bytes += entry.slot.record.bytes;
    if (queue.held > 0 || this.#delayed.has(queue)) return;
    if (first) this.#group(entry.group).add(queue);
    else this.#group(queue.entries[0]?.group ?? entry.group).grow(entry);
  }

  /** The next batch to write, if one is ripe and may be in flight. Its keys are held until `settle`. */
  cut(now: CutNow): Cut | undefined {
    if (this.#inFlight >= this.#plan.inFlight) return undefined;
    if (this.#half === undefined) {
      this.#half = this.#nextPlanned();
      if (this.#half !== undefined) return this.#begin(this.#half);
    }
    this.#wake(now.elapsed);
    const group = this.#ripest(now);
    if (group === undefined) return undefined;
    return this.#begin(this.#cutFrom(group, now.scale));
  }

  /** When something becomes due by itself; undefined when nothing does. */
  dueAt(): Ms | undefined {
    let due = Number.POSITIVE_INFINITY;
    for (const queue of this.#delayed) due = Math.min(due, queue.notBefore);
    for (const group of this.#groups.values()) {
      if (group.ready.size > 0 && this.#mayBegin(group)) due = Math.min(due, group.oldestTakenAt + this.#plan.waitMs);
    }
    return Number.isFinite(due) ? due : undefined;
  }

  /**
   * The batch has settled. `back` (entries of it that are to be written again) go to the heads of their keys' queues, before which nothing may pass,
   * not before `notBefore(queue)`.
   */
  settle(cut: Cut, back: readonly Entry[], notBefore: (queue: KeyQueue) => Ms): void {
    this.#settled(cut);
    this.#free(cut, back, notBefore);
    if (this.#plan.order === 'none' || this.#groups.size > 1) this.#tidy(cut.group);
  }

  /** Writes the halves of a batch that the target judged bad, the left one first; its keys stay held until then. */
  bisect(cut: Cut): void {
    this.#settled(cut);
    const middle = Math.ceil(cut.written.length / 2);
    const half = (written: readonly Entry[]): Cut => {
      const keys = new Set(written.map(entry => this.#queueOf(entry)));
      return { group: cut.group, written, coalesced: cut.coalesced.filter(entry => keys.has(this.#queueOf(entry))) };
    };
    const left = half(cut.written.slice(0, middle));
    const right = half(cut.written.slice(middle));
    for (const queue of this.#queuesOf(right)) queue.held += 1;
    const leftQueues = this.#queuesOf(left);
    for (const queue of this.#queuesOf(cut)) if (!leftQueues.has(queue)) queue.held -= 1;
    this.#planned.unshift(left, right);
  }

  /** Takes everything out that waits and for which `leaves` holds, halves that are not in flight yet too; what is in flight stays. */
  remove(leaves: (entry: Entry) => boolean): Entry[] {
    if (this.#planned.some(cut => cut.written.concat(cut.coalesced).some(leaves))) this.#unplan();
    const removed: Entry[] = [];
    for (const queue of [...this.#queues.values()]) {
      const ready = queue.held === 0 && !this.#delayed.has(queue) ? this.#group(queue.entries[0]?.group ?? '') : undefined;
      ready?.take(queue);
      const stays = queue.entries.filter(entry => !leaves(entry));
      for (const entry of queue.entries) if (leaves(entry)) removed.push(entry);
      queue.entries = stays;
      queue.bytes = sumBytes(stays);
      if (stays.length > 0) ready?.add(queue);
      else this.#drop(queue);
    }
    return removed;
  }

  /** Everything that waits for its retry is due now. */
  hurry(): void {
    for (const queue of this.#delayed) queue.notBefore = 0;
    for (const queue of this.#queues.values()) queue.notBefore = 0;
  }

  #queueOf(entry: Entry): KeyQueue {
    const { order } = this.#plan;
    const key = order === 'key' ? entry.slot.record.key : order === 'partition' ? '' : String(entry.ordinal);
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = keyQueue(key);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  #group(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new Group(name);
      this.#groups.set(name, group);
    }
    return group;
  }

  #tidy(name: string): void {
    const group = this.#group(name);
    if (group.ready.size === 0 && group.inFlight === 0) this.#groups.delete(name);
  }

  /** One batch in flight per group, where the connector has groups. */
  #mayBegin(group: Group): boolean {
    return group.name === '' || group.inFlight === 0;
  }

  #wake(elapsed: Ms): void {
    for (const queue of this.#delayed) {
      if (queue.notBefore > elapsed) continue;
      this.#delayed.delete(queue);
      this.#group(queue.entries[0]?.group ?? '').add(queue);
    }
  }

  #ripest(now: CutNow): Group | undefined {
    let largest: Group | undefined;
    for (const group of this.#groups.values()) {
      if (group.ready.size === 0 || !this.#mayBegin(group)) continue;
      const full = group.readyRecords >= this.#plan.batchRecords * now.scale || group.readyBytes >= this.#plan.batchBytes * now.scale;
      if (full || now.elapsed - group.oldestTakenAt >= this.#plan.waitMs) return group;
      if (largest === undefined || group.readyBytes > largest.readyBytes) largest = group;
    }
    return now.pressed ? largest : undefined;
  }

  #cutFrom(group: Group, scale: number): Cut {
    const written: Entry[] = [];
    const coalesced: Entry[] = [];
    const limit = { records: Math.max(1, Math.floor(this.#plan.batchRecords * scale)), bytes: this.#plan.batchBytes * scale };
    let bytes = 0;
    for (const queue of group.ready.values()) {
      const next = queue.entries[0];
      if (next === undefined) throw new Error('a key without records is ready');
      if (written.length > 0 && (written.length >= limit.records || bytes + next.slot.record.bytes > limit.bytes)) break;
      group.take(queue);
      queue.held += 1;
      bytes += this.#takeFrom(queue, { group: group.name, written, coalesced, records: limit.records, bytes: limit.bytes - bytes });
    }
    return { group: group.name, written, coalesced };
  }

  /** Moves as much of a key into the batch as fits, at least one record. Bytes taken. */
  #takeFrom(queue: KeyQueue, into: { group: string; written: Entry[]; coalesced: Entry[]; records: number; bytes: number }): number {
    const { coalesce, oncePerKey } = this.#plan;
    let count = 0;
    let bytes = 0;
    for (const entry of queue.entries) {
      const size = entry.slot.record.bytes;
      const fits = coalesce || (into.written.length + count < into.records && bytes + size <= into.bytes);
      if (count > 0 && (entry.group !== into.group || !fits || (oncePerKey && !coalesce))) break;
      count += 1;
      bytes = coalesce ? size : bytes + size;
    }
    const taken = queue.entries.splice(0, count);
    queue.bytes -= sumBytes(taken);
    if (coalesce) {
      const newest = taken.pop();
      if (newest !== undefined) into.written.push(newest);
      into.coalesced.push(...taken);
    } else into.written.push(...taken);
    return bytes;
  }

  #begin(cut: Cut): Cut {
    this.#inFlight += 1;
    const group = this.#group(cut.group);
    group.inFlight += 1;
    // To the end of the line, so that groups take turns.
    this.#groups.delete(group.name);
    this.#groups.set(group.name, group);
    return cut;
  }

  #settled(cut: Cut): void {
    this.#inFlight -= 1;
    this.#group(cut.group).inFlight -= 1;
    if (this.#half === cut) this.#half = undefined;
  }

  /** The next half, if its group may begin, without the records that must wait behind an earlier one of their key. */
  #nextPlanned(): Cut | undefined {
    const plan = this.#planned[0];
    if (plan === undefined || !this.#mayBegin(this.#group(plan.group))) return undefined;
    this.#planned.shift();
    const waits = plan.written.filter(entry => this.#waitsBehind(entry));
    if (waits.length === 0) return plan;
    const rest = plan.written.filter(entry => !waits.includes(entry));
    const stays = (entry: Entry) => waits.some(other => this.#queueOf(other) === this.#queueOf(entry));
    const back = waits.concat(plan.coalesced.filter(stays));
    this.#free({ group: plan.group, written: waits, coalesced: [] }, back, queue => queue.notBefore);
    if (rest.length > 0) return { group: plan.group, written: rest, coalesced: plan.coalesced.filter(entry => !stays(entry)) };
    return this.#nextPlanned();
  }

  /** What is left of the halves goes back to the queues, and is cut anew. */
  #unplan(): void {
    for (const cut of this.#planned.splice(0)) this.#free(cut, cut.written.concat(cut.coalesced), queue => queue.notBefore);
  }

  #waitsBehind(entry: Entry): boolean {
    const head = this.#queueOf(entry).entries[0];
    return head !== undefined && head.ordinal < entry.ordinal;
  }

  #queuesOf(cut: Cut): Set<KeyQueue> {
    return new Set(cut.written.map(entry => this.#queueOf(entry)));
  }

  #free(cut: Cut, back: readonly Entry[], notBefore: (queue: KeyQueue) => Ms): void {
    const queues = this.#queuesOf(cut);
    const returning = new Set<KeyQueue>();
    for (const entry of back) {
      const queue = this.#queueOf(entry);
      queue.entries.push(entry);
      queue.bytes += entry.slot.record.bytes;
      returning.add(queue);
    }
    for (const queue of returning) {
      queue.entries.sort((a, b) => a.ordinal - b.ordinal);
      queue.notBefore = notBefore(queue);
    }
    for (const queue of queues) {
      queue.held -= 1;
      if (queue.held > 0) continue;
      if (queue.entries.length === 0) this.#drop(queue);
      else this.#delayed.add(queue);
    }
  }

  #drop(queue: KeyQueue): void {
    if (queue.held > 0) return;
    this.#delayed.delete(queue);
    this.#queues.delete(queue.key);
  }
}

function sumBytes(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const entry of entries) bytes += entry.slot.record.bytes;
  return bytes;
}
