/**
 * A fresh world for one test: a table with its stream, targets and state tables that no other test knows, settings for all four sinks, and the daemon as
 * a process. Each shop has access keys of its own: DynamoDB Local keeps a database for each, and a second streamed table in one is slow.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonProcess, startDaemon } from '../run/daemon-process.ts';
import { type OrderWriter, orderWriter } from '../run/order-writer.ts';
import { type KafkaWatch, watchKafka } from '../run/read-back.ts';
import type { AwsPlace, Places } from '../run/world-settings.ts';
import { makeTargets } from '../run/world-targets.ts';
import { removeFolder, temporaryFolder } from '../servers/child.ts';
import { freePort } from '../servers/ports.ts';
import { type Line, mendLines, type Stage, stage } from './stage.ts';

type Options = Readonly<Record<string, unknown>>;
export type SinkSettings = Options & { readonly name: string; readonly type: string };

/** What the settings file holds, written as JSON. */
export interface ShopSettings {
  readonly name: string;
  readonly state: Options;
  readonly leases: Options;
  readonly admin: Options;
  readonly log: Options;
  readonly limits: Options;
  readonly pipelines: readonly [{ readonly name: string; readonly source: Options; readonly sinks: readonly SinkSettings[] }];
}

/** None is left out. */
export interface ShopPlaces extends Places {
  readonly kafka: NonNullable<Places['kafka']>;
  readonly s3: NonNullable<Places['s3']>;
}

export interface ShopPlan {
  /** Names of sinks; default all four: eu, changes, events, archive. */
  readonly sinks?: readonly string[];
  /** Further options of sinks, by name. */
  readonly more?: Readonly<Record<string, Options>>;
  readonly source?: Options;
  readonly limits?: Options;
  readonly leases?: Options;
  /** Default: makes all of them. */
  readonly make?: (places: Places) => Promise<void>;
  /** Kafka of one's own. */
  readonly brokers?: readonly string[];
}

export interface Shop {
  /** Where tests read and write. */
  readonly places: ShopPlaces;
  readonly settings: ShopSettings;
  /** Texts that may never be in a log. */
  readonly secrets: readonly string[];
  readonly folder: string;
  /** The settings as a file. */
  file(settings?: ShopSettings): string;
  /** Starts a daemon and waits for nothing. All of them log into one file. */
  launch(options?: { settings?: ShopSettings; env?: Readonly<Record<string, string>> }): DaemonProcess;
  /** Starts a daemon and waits until it is ready. */
  open(options?: Parameters<Shop['launch']>[0]): Promise<DaemonProcess>;
  /** What the application writes. */
  writer(options?: Parameters<typeof orderWriter>[1]): OrderWriter;
  /** Consumes the topic from its start, from now on. */
  watch(): Promise<KafkaWatch>;
  /** Ends what runs and removes the folder. Throws when a secret stands in the log. */
  close(): Promise<void>;
}

const shops = new Set<Shop>();
let count = 0;

/** For `afterEach` or `after`: ends every shop that is still open, and mends the lines. */
export async function closeShops(): Promise<void> {
  await Promise.all([...shops].map(shop => shop.close()));
  await mendLines();
}

export async function openShop(plan: ShopPlan = {}): Promise<Shop> {
  const at = await stage();
  count += 1;
  const id = `${process.pid}x${count}`;
  const adminPort = await freePort();
  const places = placesOf(at, { id, adminPort, brokers: plan.brokers });
  // The SDK writes into the credentials that it is given.
  const settings = structuredClone(settingsOf(at, places, { id, adminPort, plan }));
  await (plan.make ?? makeTargets)(places);
  const shop = shopAt(places, settings, id);
  shops.add(shop);
  return shop;
}

function shopAt(places: ShopPlaces, settings: ShopSettings, id: string): Shop {
  const folder = temporaryFolder('shop');
  const daemons: DaemonProcess[] = [];
  const leaving: (() => unknown)[] = [];
  const file = (written = settings) => {
    const path = join(folder, 'settings.json');
    writeFileSync(path, JSON.stringify(written, null, 2));
    return path;
  };
  const shop: Shop = {
    places,
    settings,
    secrets: ['state', 'source', 'replica', 'kinesis', 's3', 'admin'].map(what => secretOf(what, id)),
    folder,
    file,
    launch({ settings: written = settings, env = {} } = {}) {
      const start = { settings: [file(written)], admin: places.admin, logFile: join(folder, 'daemon.log'), from: 'dist' } as const;
      const daemon = startDaemon({ ...start, env });
      daemons.push(daemon);
      return daemon;
    },
    async open(options) {
      const daemon = shop.launch(options);
      await daemon.ready();
      return daemon;
    },
    writer(options) {
      const writer = orderWriter(places.source, options);
      leaving.push(writer.close);
      return writer;
    },
    async watch() {
      const kafka = await watchKafka(places.kafka);
      leaving.push(kafka.leave);
      return kafka;
    },
    async close() {
      shops.delete(shop);
      await Promise.all([...daemons.map(daemon => daemon.kill()), ...leaving.map(leave => leave())]);
      const logged = daemons[0]?.log() ?? '';
      await removeFolder(folder);
      const told = shop.secrets.find(secret => logged.includes(secret));
      if (told !== undefined) throw new Error(`the log of a daemon holds ${told}`);
    },
  };
  return shop;
}

const secretOf = (what: string, id: string): string => `secret-of-${what}-${id}`;

function placesOf(at: Stage, { id, adminPort, brokers }: { id: string; adminPort: number; brokers: readonly string[] | undefined }) {
  const place = (what: string, region: string, endpoint: string): AwsPlace => ({
    region,
    endpoint,
    credentials: { accessKeyId: `${what}${id}`, secretAccessKey: secretOf(what, id) },
  });
  return {
    source: { ...place('source', 'us-east-1', at.dynamodb.endpoint), table: 'orders' },
    replica: { ...place('replica', 'eu-west-1', at.dynamodb.endpoint), table: 'orders' },
    kinesis: { ...place('kinesis', 'us-east-1', at.kinesis.endpoint), stream: `orders-${id}` },
    kafka: { brokers: brokers ?? at.kafka.brokers, topic: `orders-${id}` },
    s3: { ...place('s3', 'us-east-1', at.s3.endpoint), bucket: `orders-${id}`, prefix: 'orders' },
    admin: `http://127.0.0.1:${adminPort}`,
  };
}

/** The daemon reaches everything over the lines. */
function settingsOf(at: Stage, places: ShopPlaces, { id, adminPort, plan }: { id: string; adminPort: number; plan: ShopPlan }) {
  const { source, replica, kinesis, s3, kafka } = places;
  const over = <T extends object>(line: Line, place: T) => ({ ...place, endpoint: at.lines[line].endpoint });
  const state = { region: 'us-east-1', credentials: { accessKeyId: `state${id}`, secretAccessKey: secretOf('state', id) } };
  const sinks: SinkSettings[] = [
    { name: 'eu', type: 'replica', ...over('replica', replica) },
    { name: 'changes', type: 'kinesis', ...over('kinesis', kinesis) },
    { name: 'events', type: 'kafka', ...kafka },
    { name: 'archive', type: 's3', ...over('s3', s3), fileSeconds: 1 },
  ];
  const wanted = sinks.filter(({ name }) => plan.sinks === undefined || plan.sinks.includes(name));
  return {
    name: 'shop',
    state: over('state', state),
    leases: { durationSeconds: 3, renewSeconds: 1, ...plan.leases },
    admin: { host: '127.0.0.1', port: adminPort, token: secretOf('admin', id) },
    log: { level: 'info', format: 'json' },
    limits: { drainSeconds: 5, ...plan.limits },
    pipelines: [
      {
        name: 'orders',
        source: { ...over('source', source), ...plan.source },
        sinks: wanted.map(sink => ({ ...sink, ...plan.more?.[sink.name] })),
      },
    ] as const,
  };
}
