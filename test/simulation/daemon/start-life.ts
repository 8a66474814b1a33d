/** Starts the real daemon in a world, as wiring would: its ports are the world's, seen by a process that may die. */
import type { Ms } from '../../../src/model/units.ts';
import type { Log } from '../../../src/ports/log.ts';
import type { TableApi } from '../../../src/ports/table-api.ts';
import { daemon } from '../../../src/runners/daemon.ts';
import type { SinkPlan } from '../../../src/runners/daemon-plan.ts';
import { SOURCE_PLAN } from '../../fakes/daemon-world.ts';
import { seededRandom } from '../../fakes/virtual-clock.ts';
import { claimed } from './checks/claims.ts';
import { ReadingsCheck } from './checks/readings.ts';
import type { Dice } from './dice.ts';
import { type Crash, Life } from './life.ts';
import { ownLine } from './own-line.ts';
import { nameOf, numberOf, PIPELINE } from './scene.ts';
import type { Target } from './target.ts';
import type { World } from './world.ts';

export interface LifePlan {
  readonly n: number;
  readonly crash?: Crash | undefined;
  readonly drainMs: Ms;
  /** Its way to the lease table is its own: the chance of what happens on it. */
  readonly line?: Dice;
}

export function startLife(world: World, { n, crash, drainMs, line }: LifePlan): Life {
  const { plan } = world;
  const readings = new ReadingsCheck(world);
  const life = new Life(n, world.clock, { crash, readings });
  life.mourn(() => world.said(`life ${n} dies at call ${life.calls}`));
  const leases = claimed(world, life.worker);
  const running = daemon(
    {
      name: 'shop',
      worker: life.worker,
      leases: plan.leases,
      limits: { memoryBytes: plan.memoryBytes, drainMs },
      pipelines: [
        {
          name: PIPELINE,
          source: { ...SOURCE_PLAN, ...plan.source },
          sinks: world.targets.filter(({ presence }) => presence !== 'absent').map(target => sinkPlan(target, life)),
        },
      ],
    },
    {
      clock: life.process.clock,
      random: seededRandom(plan.seed * 1_000 + n),
      log: logOf(world, life),
      observer: {
        leaseMoved: (_, reason) => world.said(`lease ${reason}`),
        gapFound: (at, sinks, gap) =>
          world.said(`gap ${nameOf(at.partition)} ${sinks} ${gap.reason} ${numberOf(gap.from ?? '')}..${numberOf(gap.to ?? '')}`),
      },
      leases: life.sees(line === undefined ? leases : ownLine(leases, life, { clock: world.clock, dice: line })),
      control: life.sees(world.control),
      source: () => ({ tables: life.sees(tableApi(world)), streams: life.sees(world.streamApi(readings)) }),
      table: noClient,
      kinesis: noClient,
    },
  );
  life.daemon = running;
  running.run(life.stop.signal).then(
    () => {
      life.end = {};
    },
    (error: unknown) => {
      life.end = { error };
    },
  );
  return life;
}

/** What the daemon says is part of the history; errors and warnings are worth a line to people too. */
function logOf(world: World, life: Life, own: Readonly<Record<string, unknown>> = {}): Log {
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    const { sink, shardId } = { ...own, ...fields };
    if (message.startsWith('the lease is lost')) {
      life.lostLeases += 1;
      world.leaseLost(String(shardId));
    }
    world.said(`${level} ${sink ?? ''} ${typeof shardId === 'string' ? nameOf(shardId) : ''} ${message}`);
  };
  return {
    debug: () => {},
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: fields => logOf(world, life, { ...own, ...fields }),
  };
}

function sinkPlan(target: Target, life: Life): SinkPlan {
  const { sketch, name, names, presence } = target;
  return {
    name,
    type: sketch.kind,
    enabled: presence === 'on',
    renamedFrom: names[1],
    startingPosition: sketch.startingPosition,
    options: {},
    delivery: sketch.delivery,
    connector: target.connector(life),
  };
}

function tableApi(world: World): TableApi {
  const table = (TableName: string) => ({
    TableName,
    TableArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${TableName}`,
    TableId: 'table-id',
    TableStatus: 'ACTIVE',
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    LatestStreamArn: world.stream.arn,
    StreamSpecification: { StreamEnabled: true, StreamViewType: world.stream.parts.viewType },
  });
  const call = async (name: string, { TableName }: { TableName: string }) => {
    await undefined;
    if (name !== 'DescribeTable') throw new Error(`the fake table does not know ${name}`);
    return { Table: table(TableName) };
  };
  return { call } as unknown as TableApi;
}

function noClient(): never {
  throw new Error('the simulation lends no client');
}
