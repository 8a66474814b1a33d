/**
 * The only place where adapters meet settings: clock, log, telemetry, AWS clients, state stores and the admin port are made here and handed on as
 * ports. No logic; what is decided is decided in settings or by whoever is given these.
 */
import { hostname } from 'node:os';
import { type AwsClients, awsClients } from './adapters/aws-clients.ts';
import { placeOf } from './adapters/aws-endpoint.ts';
import { controlStore } from './adapters/control-store.ts';
import { kclTable } from './adapters/kcl-table.ts';
import { kclNames } from './adapters/lease-names.ts';
import { leaseStore } from './adapters/lease-store.ts';
import { type ProcessLog, processLog } from './adapters/log.ts';
import { namingPermissions } from './adapters/state-permissions.ts';
import { stayAlive, systemClock, systemRandom } from './adapters/system.ts';
import { type Telemetry, telemetry } from './adapters/telemetry.ts';
import { timedTable } from './adapters/timed-table.ts';
import { type AdminServer, startAdmin } from './admin/server.ts';
import type { ControlStore } from './ports/control-store.ts';
import type { KclTable } from './ports/kcl-table.ts';
import type { LeaseStore } from './ports/lease-store.ts';
import type { Log } from './ports/log.ts';
import type { StatusSource } from './ports/status-source.ts';
import { SettingsError } from './settings/problem.ts';
import type { AwsSettings, LoadedSettings, PipelineSettings, Settings, SourceSettings } from './settings/settings.ts';

const MIB = 1024 * 1024;
/** Patience with a description of the source. */
const DESCRIBE_MS = 10_000;

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Whether stderr is a terminal that wants colours. */
  readonly colour: boolean;
}

/** What every command has that touches the network. */
export interface Stores {
  readonly leases: LeaseStore;
  readonly control: ControlStore;
  close(): Promise<void>;
}

/** What the daemon is made of. */
export type { ProcessLog };
export type World = Awaited<ReturnType<typeof daemonWorld>>;

/** Who writes into it. */
export interface LogWriter {
  readonly worker: string;
  /** Of several that `run` has started. */
  readonly process?: number;
  /** Default: stderr, by a way of its own. */
  readonly stream?: { write(line: string): void };
}

export function openLog({ settings, secrets }: LoadedSettings, { stream, ...writer }: LogWriter, { colour }: Surroundings): ProcessLog {
  const fields = { service: settings.name, ...writer };
  return processLog({ ...settings.log, fields, secrets, clock: systemClock, colour, ...(stream && { stream }) });
}

/** Of this incarnation of this process. */
export function workerName(): string {
  return `${hostname()}-${systemRandom.uuid().slice(0, 13).replace('-', '')}`;
}

export function openStores({ settings }: LoadedSettings, log: Log): Stores {
  const clients = awsClients({ clock: systemClock, random: systemRandom, log });
  const leave = stayAlive();
  return { ...stateStores(settings, clients), close: () => clients.close().finally(leave) };
}

export async function daemonWorld(loaded: LoadedSettings, { log, worker }: { log: ProcessLog; worker: string }, around: Surroundings) {
  const { settings } = loaded;
  const clients = awsClients({ clock: systemClock, random: systemRandom, log });
  const declared = settings.pipelines.map(declaredOf);
  const measured = telemetry({ clock: systemClock, env: around.env, version: around.version, service: settings.name, worker, declared });
  const regions = await sourceRegions(settings);
  const sources = new Map(settings.pipelines.map(({ name, source }) => [name, source]));
  const sourceOf = (pipeline: string): SourceSettings => {
    const source = sources.get(pipeline);
    if (source === undefined) throw new Error(`no pipeline ${pipeline}`);
    return source;
  };
  // From here on it lives until it is ended: nobody else's timer keeps it alive.
  stayAlive();
  return {
    plan: {
      name: settings.name,
      worker,
      leases: { durationMs: settings.leases.durationSeconds * 1000, renewMs: settings.leases.renewSeconds * 1000 },
      limits: {
        memoryBytes: settings.limits.memoryMiB * MIB,
        drainMs: settings.limits.drainSeconds * 1000,
        weight: settings.limits.weight,
      },
      pipelines: settings.pipelines.map((pipeline, i) => pipelinePlan(pipeline, regions[i] ?? '')),
    },
    parts: {
      clock: systemClock,
      random: systemRandom,
      log,
      observer: measured.observer,
      ...stateStores(settings, clients),
      source: (pipeline: string) => ({
        tables: timedTable(clients.table(awsOptions(sourceOf(pipeline))), systemClock, DESCRIBE_MS),
        streams: clients.streams(streamOptions(sourceOf(pipeline))),
      }),
      table: clients.table,
      kinesis: clients.kinesis,
    },
    telemetry: measured,
    openAdmin: (source: StatusSource) => openAdmin(settings, { source, telemetry: measured, log }),
  };
}

function declaredOf({ name, source, sinks }: PipelineSettings) {
  const enabled = sinks.filter(sink => sink.enabled).map(sink => ({ sink: sink.name, type: sink.type }));
  return { pipeline: name, table: source.table, sinks: enabled };
}

/** What a process has that only starts and speaks for others. */
export function supervisorWorld({ settings }: LoadedSettings, log: ProcessLog) {
  // Between the end of the last process and the start of the next one nothing else would.
  stayAlive();
  return {
    clock: systemClock,
    random: systemRandom,
    openAdmin: (source: StatusSource, metricsText: () => Promise<string>) =>
      openAdmin(settings, { source, telemetry: { metricsText }, log }),
  };
}

function openAdmin(
  { admin }: Settings,
  { source, telemetry: { metricsText }, log }: { source: StatusSource; telemetry: Pick<Telemetry, 'metricsText'>; log: Log },
): Promise<AdminServer> {
  return startAdmin({ host: admin.host, port: admin.port, token: admin.token }, { source, metricsText, log });
}

interface StateStores extends Omit<Stores, 'close'> {
  /** In mode kcl-takeover. */
  readonly kcl?: KclTable;
}

function stateStores({ state, leases, pipelines }: Settings, clients: AwsClients): StateStores {
  const table = namingPermissions(clients.table(awsOptions(state)));
  const common = { table, create: state.createTables, clock: systemClock };
  const control = controlStore({ ...common, name: state.controlTable });
  const inherited = { table, name: state.leaseTable, clock: systemClock };
  if (leases.mode === 'native') return { leases: leaseStore({ ...common, name: state.leaseTable }), control };
  const names = kclNames({ several: pipelines.length > 1 });
  return { leases: leaseStore({ ...inherited, create: false }, names), control, kcl: kclTable(inherited) };
}

function pipelinePlan({ name, source, sinks }: PipelineSettings, region: string) {
  return {
    name,
    source: {
      table: source.table,
      region,
      startingPosition: source.startingPosition,
      pollMs: source.pollMilliseconds,
      idleMs: source.idleMilliseconds,
      onGap: source.onGap,
      traceContextAttribute: source.traceContextAttribute,
      enableStream: source.enableStream,
    },
    sinks,
  };
}

/** Of each pipeline; where settings are silent, the ordinary AWS chain says it. */
async function sourceRegions({ pipelines }: Settings): Promise<readonly string[]> {
  const places = await Promise.allSettled(pipelines.map(({ source }) => placeOf('dynamodb', awsOptions(source))));
  const problems = places.flatMap((place, i) =>
    place.status === 'fulfilled'
      ? []
      : [{ place: undefined, path: `pipelines.${pipelines[i]?.name}.source.region`, message: String(place.reason.message) }],
  );
  if (problems.length > 0) throw new SettingsError(problems);
  return places.flatMap(place => (place.status === 'fulfilled' ? [place.value.region] : []));
}

function awsOptions({ region, endpoint, credentials, roleArn, externalId }: AwsSettings): AwsSettings {
  return { region, endpoint, credentials, roleArn, externalId };
}

function streamOptions(source: SourceSettings): AwsSettings {
  return awsOptions({ ...source, endpoint: source.streamsEndpoint ?? source.endpoint });
}
