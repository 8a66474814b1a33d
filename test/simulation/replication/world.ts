/**
 * A random world: an application that writes, a replicator that is killed, delayed and lied to, scans and redriven rows at any moment, and in mode version
 * an application that writes the replica too. When everything has settled the replica must be what the rules say it is, whatever happened on the way.
 */

import { type Adapt, openReplica } from '../../../connectors/replica/open.ts';
import { schema, traits } from '../../../connectors/replica/options.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Image, Item } from '../../../src/model/item.ts';
import { sameImage } from '../../../src/replication/image.ts';
import { unmarked, versionMarker } from '../../../src/replication/marker.ts';
import { mirrorRules } from '../../../src/replication/mirror-rules.ts';
import { stampOf } from '../../../src/replication/stamp.ts';
import { versionRules } from '../../../src/replication/version-rules.ts';
import type { Rules, Version } from '../../../src/replication/versions.ts';
import { fakeTables } from '../../fakes/fake-table.ts';
import { testHost } from '../../fakes/test-host.ts';
import { seededRandom, virtualClock } from '../../fakes/virtual-clock.ts';
import { ProcessWorld } from './process-world.ts';
import { FROM, SourceWorld, VERSION } from './source-world.ts';
import { lastWriterVersion, mirrorVersion, textOf, watcher } from './watch.ts';
import { Wire } from './wire.ts';

const TABLE = 'copy';
const WRITER = 'test/orders';

export interface WorldOptions {
  readonly seed: number;
  readonly mode: 'mirror' | 'version';
  /** Weakens the rules. */
  readonly adapt?: Adapt;
  readonly steps?: number;
}

/** What went wrong; empty when nothing did. */
export async function runWorld(options: WorldOptions): Promise<readonly string[]> {
  const world = new World(options);
  await world.make();
  for (let i = 0; i < (options.steps ?? 120); i++) await world.step();
  await world.settle();
  return world.violations;
}

class World {
  readonly violations: string[] = [];
  readonly #options: WorldOptions;
  readonly #random;
  readonly #clock = virtualClock();
  readonly #tables = fakeTables({ scanRows: 2 });
  readonly #source: SourceWorld;
  readonly #wire: Wire;
  readonly #to: string;
  readonly #rules: Rules;
  readonly #beside = new Set<ChangeRecord>();
  /** Written to the replica by its own application: mode version. */
  readonly #local: { readonly pk: string; readonly version: Version; readonly image: Image }[] = [];
  #process: ProcessWorld | undefined;
  #saved = 0;
  #reached = 0;
  #owner: object = {};

  constructor(options: WorldOptions) {
    this.#options = options;
    const random = seededRandom(options.seed);
    this.#random = random;
    this.#to = random.chance(0.5) ? 'eu-west-1' : 'zz-east-1';
    const keys = ['a', 'b', 'c'].slice(0, 1 + random.integer(3));
    this.#source = new SourceWorld({ clock: this.#clock, random, keys });
    const attribute = { name: VERSION, kind: 'epochMillis', missing: 'reject', maxAheadSeconds: 900 } as const;
    this.#rules =
      options.mode === 'mirror'
        ? mirrorRules({ writer: WRITER, stampAttribute: '_tm' })
        : versionRules({ attribute, stampAttribute: '_tm', from: FROM, to: this.#to });
    const violate = (what: string) => void this.violations.push(what);
    const versionOf = options.mode === 'mirror' ? mirrorVersion : lastWriterVersion(VERSION, this.#to);
    const watch = watcher({ tables: this.#tables, table: TABLE, compare: this.#rules.compare, versionOf, violate });
    this.#wire = new Wire({ tables: this.#tables, clock: this.#clock, random, watch });
  }

  async make(): Promise<void> {
    const request = {
      TableName: TABLE,
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' as const }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' as const }],
      BillingMode: 'PAY_PER_REQUEST' as const,
    };
    await this.#tables.call('CreateTable', request, new AbortController().signal);
    await this.#start(0);
  }

  async step(): Promise<void> {
    const [random, process] = [this.#random, this.#process];
    const dice = random.next();
    if (dice < 0.2) this.#source.write();
    else if (dice < 0.4) process?.begin();
    else if (dice < 0.72) await this.#wire.step(0.3);
    else if (dice < 0.77) await this.#wire.stray();
    else if (dice < 0.82) await this.#clock.advance(random.integer(random.chance(0.2) ? 120_000 : 3_000));
    else if (dice < 0.85) process?.giveUp();
    else if (dice < 0.88) this.#saved = process?.head ?? 0;
    else if (dice < 0.9) await this.#restart();
    else if (dice < 0.92) this.#scan();
    else if (dice < 0.94) this.#redrive();
    else if (this.#options.mode === 'version') await this.#writeReplica();
    await turn();
  }

  /** The application rests; what is on its way arrives or is lost; a quarter of an hour passes, and some more. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3_000 && !(this.#process?.idle && this.#wire.waiting === 0); i++) {
      this.#process?.begin();
      if (this.#random.chance(0.05)) await this.#wire.stray();
      await this.#wire.step(0);
      await turn();
    }
    if (!this.#process?.idle) this.violations.push('it never came to rest');
    while (this.#wire.strays > 0) {
      await this.#wire.stray();
      await this.#pass(this.#random.integer(20_000));
    }
    for (let i = 0; i < 40; i++) await this.#pass(60_000);
    this.#compare();
    this.#process?.kill();
  }

  async #start(replayedBefore: number): Promise<void> {
    const { mode, adapt } = this.#options;
    const options = schema.parse({ table: TABLE, region: this.#to, mode, versionAttribute: VERSION });
    const owner = {};
    const host = testHost({ writer: WRITER, clock: this.#clock, table: () => this.#wire.client(owner) });
    const sink = await openReplica(options, host, adapt);
    const process = new ProcessWorld({
      sink,
      log: this.#source.log,
      from: this.#saved,
      replayedBefore,
      coalesces: traits(options).coalesce === 'latest-per-key',
      beside: this.#beside,
      random: this.#random,
      complain: what => void this.violations.push(`the sink gave up: ${what instanceof Error ? what.message : JSON.stringify(what)}`),
    });
    this.#process = process;
    this.#owner = owner;
  }

  async #restart(): Promise<void> {
    this.#reached = Math.max(this.#reached, this.#process?.head ?? 0);
    this.#wire.abandon(this.#owner);
    this.#process?.kill();
    await this.#start(this.#clock.now() + 1);
  }

  #scan(): void {
    const row = this.#source.scanned();
    if (row) this.#beside.add(row);
  }

  /** Only what the stream has brought can have become a letter. */
  #redrive(): void {
    this.#reached = Math.max(this.#reached, this.#process?.head ?? 0);
    const record = this.#source.log[this.#random.integer(this.#reached)];
    if (record && this.#reached > 0) this.#beside.add({ ...record, source: { ...record.source, origin: 'redrive', partition: 'letters' } });
  }

  /** The replica's own application changes an item that is there; now and then that write arrives at the source. */
  async #writeReplica(): Promise<void> {
    const item = this.#tables.items(TABLE)[this.#random.integer(3)];
    if (!item) return;
    const pk = textOf(item);
    const v = { N: String(this.#source.nextVersion(item)) };
    const kept = this.#random.chance(0.5) ? item : { pk: { S: pk } };
    const written: Item = { ...kept, here: { N: String(this.#random.integer(1_000)) }, [VERSION]: v };
    await this.#tables.call('PutItem', { TableName: TABLE, Item: written }, new AbortController().signal);
    const local = { pk, version: { o: this.#to, s: '', v, removed: false }, image: unmarked(written, '_tm') };
    this.#local.push(local);
    if (this.#random.chance(0.5)) this.#echo(local);
  }

  #echo({ pk, version, image }: { pk: string; version: Version; image: Image }): void {
    const s = stampOf(this.#source.source.streamCreatedAt, String(this.#local.length)) ?? '';
    const seen = this.#candidates(pk, false);
    if (seen.some(each => this.#rules.compare(each.version, { ...version, s }) >= 0)) return;
    this.#source.receive(pk, { ...image, _tm: versionMarker(this.#to, s, version.v) });
  }

  /** All that was ever written under a key. */
  #candidates(pk: string, locals: boolean): { readonly version: Version; readonly image?: Image }[] {
    const told = this.#source.log.flatMap(record => {
      if (record.key !== `S${pk}`) return [];
      const reading = this.#rules.read(record, this.#clock.now());
      if (reading.is === 'put') return [{ version: reading.version, image: reading.image }];
      return reading.is === 'remove' ? [{ version: reading.version }] : [];
    });
    return locals ? [...told, ...this.#local.filter(each => each.pk === pk)] : told;
  }

  #expected(pk: string): Image | undefined {
    if (this.#options.mode === 'mirror') return this.#source.items.get(pk);
    const [first, ...rest] = this.#candidates(pk, true);
    return rest.reduce((best, each) => (best && this.#rules.compare(each.version, best.version) > 0 ? each : best), first)?.image;
  }

  #compare(): void {
    const replica = new Map(this.#tables.items(TABLE).map(item => [textOf(item), unmarked(item, '_tm')]));
    for (const pk of ['a', 'b', 'c']) {
      const [wanted, found] = [this.#expected(pk), replica.get(pk)];
      if (!sameImage(wanted, found)) this.violations.push(`${pk} is ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
    }
  }

  async #pass(ms: number): Promise<void> {
    await this.#clock.advance(ms);
    for (let i = 0; i < 200 && this.#wire.waiting > 0; i++) {
      await this.#wire.step(0);
      await turn();
    }
  }
}

/** Everything that can go on does. */
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
