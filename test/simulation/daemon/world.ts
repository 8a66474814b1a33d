/**
 * A table with its stream, the state tables and the targets on one virtual clock, and what everybody may meet there: faults by chance, outages, processes
 * that come and go. The checkers look at it from outside, through the ports and the stores only.
 */
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Ms } from '../../../src/model/units.ts';
import type { GapRow } from '../../../src/ports/control-store.ts';
import { type LeaseRow, partsOfLeaseKey } from '../../../src/ports/lease-store.ts';
import type { StreamApi } from '../../../src/ports/stream-api.ts';
import { FakeControlStore } from '../../fakes/fake-control-store.ts';
import type { Fate } from '../../fakes/fake-faults.ts';
import { FakeLeaseStore } from '../../fakes/fake-lease-store.ts';
import type { FakeStream } from '../../fakes/fake-stream.ts';
import { FakeStreams } from '../../fakes/fake-streams.ts';
import { randomFate } from '../../fakes/random-fate.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';
import { AccountsCheck } from './checks/accounts.ts';
import { IsolationCheck } from './checks/isolation.ts';
import { LineageCheck } from './checks/lineage.ts';
import { MemoryCheck } from './checks/memory.ts';
import { OrderCheck } from './checks/order.ts';
import { PositionsCheck } from './checks/positions.ts';
import type { ReadingsCheck } from './checks/readings.ts';
import { type Dice, dice } from './dice.ts';
import { History } from './history.ts';
import { nameOf, numberOf, type Scene } from './scene.ts';
import { Target, type Watch, type Write } from './target.ts';
import { Truth } from './truth.ts';
import type { StoreOdds, WorldPlan } from './world-plan.ts';

export type Outage = 'source' | 'leases' | 'control';

export class World implements Scene, Watch {
  readonly plan: WorldPlan;
  readonly clock = virtualClock();
  readonly history: History;
  readonly streams: FakeStreams;
  readonly leases: FakeLeaseStore;
  readonly control: FakeControlStore;
  readonly truth: Truth;
  readonly targets: readonly Target[];
  readonly positions: PositionsCheck;
  readonly order: OrderCheck;
  readonly lineage: LineageCheck;
  readonly memory: MemoryCheck;
  readonly accounts: AccountsCheck;
  readonly isolation: IsolationCheck;
  readonly out = new Set<Outage>();
  /** Nothing fails any more. */
  isCalm = false;
  /** The table's newest. */
  stream: FakeStream;
  readonly #faults: Dice;

  constructor(plan: WorldPlan, echo?: (line: string) => void) {
    this.plan = plan;
    this.history = new History(() => this.clock.elapsed(), echo);
    const { seed } = plan;
    this.#faults = dice(seed, 'faults');
    this.streams = new FakeStreams(this.clock, plan.rules);
    this.stream = this.streams.create({ roots: plan.roots });
    const chance = randomFate(this.#faults, plan.sourceOdds);
    this.streams.fate = call => (this.isCalm ? 'pass' : this.out.has('source') ? 'throttled' : chance(call));
    this.leases = new FakeLeaseStore({ fate: () => this.#storeFate('leases'), clock: this.clock });
    this.control = new FakeControlStore({ fate: () => this.#storeFate('control'), clock: this.clock });
    this.truth = new Truth(this.streams, this.clock);
    this.targets = plan.sinks.map(sketch => new Target({ seed, sketch, clock: this.clock, watch: this }));
    this.positions = new PositionsCheck(this);
    this.order = new OrderCheck(this);
    this.lineage = new LineageCheck(this);
    this.memory = new MemoryCheck(this, plan.memoryBytes);
    this.accounts = new AccountsCheck(this);
    this.isolation = new IsolationCheck(this, plan);
    this.#watchRows();
    this.#watchGaps();
  }

  begins(target: Target, write: Write): () => void {
    const { life, records } = write;
    const [first, last] = [records[0], records.at(-1)];
    const range = `${numberOf(first?.token ?? '')}..${numberOf(last?.token ?? '')}`;
    this.said(`write  ${target.name} ${nameOf(first?.source.partition ?? '')}: ${records.length} records ${range} (${target.mood})`);
    this.lineage.begins(target, life, records);
    return this.order.begins(target, write);
  }

  landed(target: Target, write: Write, records: readonly ChangeRecord[]): void {
    const { life, isLoose } = write;
    this.lineage.landed(target, write, records);
    for (const { token } of records) {
      const change = this.truth.at(token);
      if (!target.ledger.landed.has(token)) this.order.first(target, change);
      target.ledger.land(change, { at: this.clock.elapsed(), life: life.n, isLoose: isLoose() });
    }
    this.said(`landed ${target.name}: ${records.map(({ token, key }) => `${numberOf(token)}${key.slice(1)}`).join(' ')}`);
  }

  said(what: string): void {
    this.history.say(what);
  }

  /** A shard whose lease was lost is nobody's until everything of its run has settled; nobody can deliver it meanwhile. */
  leaseLost(shardId: string): void {
    this.isolation.outage(`lease of ${shardId}`, true);
  }

  /** The streams as a process calls them, under the eyes of its check. */
  streamApi(readings: ReadingsCheck): StreamApi {
    const { streams } = this;
    return {
      describe: (...call) => streams.describe(...call),
      children: (...call) => streams.children(...call),
      iterator: (...call) => streams.iterator(...call),
      read: (iterator, source, signal) => {
        readings.read(iterator);
        return streams.read(iterator, source, signal);
      },
    };
  }

  #storeFate(store: 'leases' | 'control'): Fate {
    if (this.isCalm) return 'pass';
    if (this.out.has(store)) return this.#faults.chance(0.3) ? 'applied-but-lost' : 'lost';
    return storeFate(this.#faults, this.plan.storeOdds);
  }

  /** Every row as it is put, at that moment. */
  #watchRows(): void {
    const { rows } = this.leases;
    const put = rows.set.bind(rows);
    rows.set = (key: string, row: LeaseRow) => {
      const before = rows.get(key);
      if (before?.owner !== row.owner) this.said(`row ${nameOf(key)} of ${row.owner ?? 'nobody'}`);
      if (before?.nonce !== row.nonce) this.isolation.outage(`lease of ${partsOfLeaseKey(key).shardId}`, false);
      this.positions.saved(row, before);
      return put(key, row);
    };
  }

  #watchGaps(): void {
    const { gapRows } = this.control;
    const put = gapRows.set.bind(gapRows);
    gapRows.set = (key: string, row: GapRow) => {
      this.accounts.lost(row, gapRows.get(key));
      return put(key, row);
    };
  }
}

function storeFate(throws: Dice, { throttle, lost, appliedButLost, slow }: StoreOdds): Fate {
  const roll = throws.next();
  if (roll < throttle) return 'throttle';
  if (roll < throttle + lost) return 'lost';
  if (roll < throttle + lost + appliedButLost) return 'applied-but-lost';
  const delayMs: Ms = throws.between(20, 700);
  return roll < throttle + lost + appliedButLost + slow ? { delayMs } : 'pass';
}
