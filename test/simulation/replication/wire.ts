/**
 * The wire between a replicator and its replica, in the hands of an adversary: a request waits until it is delivered; its answer may be lost, it may be
 * given up and land minutes later, it may land twice, it may never arrive. A signed request is refused five minutes after it was signed.
 */
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { TableApi, TableOperations } from '../../../src/ports/table-api.ts';
import type { FakeTables } from '../../fakes/fake-table.ts';
import type { VirtualClock } from '../../fakes/virtual-clock.ts';

const SIGNATURE_MS = 5 * 60_000;

/** Answered at once: what is asked before the first write, and the reading of tombstones. */
const CALM = new Set<keyof TableOperations>([
  'DescribeTable',
  'CreateTable',
  'DescribeTimeToLive',
  'UpdateTimeToLive',
  'Scan',
  'BatchGetItem',
]);

type Request = Parameters<TableApi['call']>[1];

/** What decides; `seededRandom` is one. */
export interface Dice {
  chance(p: number): boolean;
  integer(below: number): number;
}

interface Flight {
  readonly name: keyof TableOperations;
  readonly request: Request;
  readonly owner: object;
  readonly signedAt: number;
  readonly answer: (result: unknown) => void;
  readonly refuse: (fault: unknown) => void;
}

/** A request that nobody waits for any more. */
type Stray = Pick<Flight, 'name' | 'request' | 'signedAt'>;

export interface WireParts {
  readonly tables: FakeTables;
  readonly clock: VirtualClock;
  readonly random: Dice;
  /** Around each request that takes effect. */
  readonly watch: (land: () => Promise<unknown>, stray: boolean) => Promise<unknown>;
}

export class Wire {
  readonly #parts: WireParts;
  #flights: Flight[] = [];
  #strays: Stray[] = [];

  constructor(parts: WireParts) {
    this.#parts = parts;
  }

  get waiting(): number {
    return this.#flights.length;
  }
  get strays(): number {
    return this.#strays.length;
  }

  /** The client of one process. */
  client(owner: object): TableApi {
    return {
      call: (name, request, signal) => {
        if (CALM.has(name)) return this.#parts.tables.call(name, request, signal);
        return new Promise((resolve, reject) => {
          const flight: Flight = {
            name,
            request,
            owner,
            signedAt: this.#parts.clock.now(),
            answer: result => resolve(result as never),
            refuse: reject,
          };
          this.#flights.push(flight);
          signal.addEventListener('abort', () => {
            if (!this.#take(flight)) return;
            if (this.#parts.random.chance(0.5)) this.#strays.push(flight);
            reject(new ServiceFault('Aborted', 'aborted', { class: 'aborted' }));
          });
        });
      },
    };
  }

  /** Some request meets its fate. `faults`: how likely it is a bad one. */
  async step(faults: number): Promise<void> {
    const { random } = this.#parts;
    if (this.#flights.length === 0) return;
    const at = random.integer(this.#flights.length);
    if (!random.chance(faults)) return this.deliver(at);
    switch (random.integer(4)) {
      case 0:
        return this.loseAnswer(at);
      case 1:
        return this.giveUp(at);
      case 2: // It never arrives.
        return this.giveUp(at, false);
      default: // It arrives, and once more later.
        this.#strays.push(this.#flights[at] as Flight);
        return this.deliver(at);
    }
  }

  /** It takes effect and is answered. */
  async deliver(at: number): Promise<void> {
    const flight = this.#takeAt(at);
    await this.#land(flight, false).then(flight.answer, flight.refuse);
  }

  /** It takes effect and is not answered. */
  async loseAnswer(at: number): Promise<void> {
    const flight = this.#takeAt(at);
    await this.#land(flight, false).catch(() => {});
    flight.refuse(lost());
  }

  /** Nobody waits for it any more; it may land later. */
  async giveUp(at: number, lands = true): Promise<void> {
    const flight = this.#takeAt(at);
    if (lands) this.#strays.push(flight);
    flight.refuse(lost());
  }

  /** A request that nobody waits for lands, or is lost for good. */
  async stray(): Promise<void> {
    const { random } = this.#parts;
    if (this.#strays.length === 0) return;
    const at = random.integer(this.#strays.length);
    if (random.chance(0.2)) this.#strays.splice(at, 1);
    else await this.landStray(at);
  }

  async landStray(at: number): Promise<void> {
    const [stray] = this.#strays.splice(at, 1);
    if (!stray || this.#parts.clock.now() - stray.signedAt > SIGNATURE_MS) return;
    await this.#land(stray, true).catch(() => {});
  }

  /** A process is gone: nobody waits for its requests, some of which are on their way. */
  abandon(owner: object): void {
    const gone = this.#flights.filter(flight => flight.owner === owner);
    this.#flights = this.#flights.filter(flight => flight.owner !== owner);
    this.#strays.push(...gone.filter(() => this.#parts.random.chance(0.7)));
  }

  #land({ name, request }: Stray, stray: boolean): Promise<unknown> {
    const { tables, watch } = this.#parts;
    return watch(() => tables.call(name, request as never, new AbortController().signal), stray);
  }

  #takeAt(at: number): Flight {
    const [flight] = this.#flights.splice(at, 1);
    if (!flight) throw new Error('there is no such request');
    return flight;
  }

  #take(flight: Flight): boolean {
    const at = this.#flights.indexOf(flight);
    if (at >= 0) this.#flights.splice(at, 1);
    return at >= 0;
  }
}

function lost(): ServiceFault {
  return new ServiceFault('ECONNRESET', 'the connection was lost', { class: 'network' });
}
