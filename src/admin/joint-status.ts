/**
 * One status for several worker processes of a host, and one text of metrics: pure. Counts are summed, of ages and states the worst holds. A process
 * that owns no shard of a pipeline says nothing of how its sinks do there, unless all of them own none.
 */
import { eachCount, type PipelineStatus, SINK_STATES, type SinkStatus, type Status, type TableStatus } from '../model/status.ts';

/** One process: what it said of itself, or why it said nothing. */
export interface Part {
  readonly process: number;
  readonly pid: number | null;
  readonly said: Status | string;
}

export function jointStatus({ name, worker }: { readonly name: string; readonly worker: string }, parts: readonly Part[]): Status {
  const statuses = parts.flatMap(({ said }) => (typeof said === 'string' ? [] : [said]));
  const notReady = parts.flatMap(({ process, said }) => ofProcess(process, typeof said === 'string' ? [said] : said.notReady));
  const pipelines = new Map<string, PipelineStatus[]>();
  for (const pipeline of statuses.flatMap(status => status.pipelines))
    pipelines.set(pipeline.name, [...(pipelines.get(pipeline.name) ?? []), pipeline]);
  return {
    name,
    worker,
    ready: notReady.length === 0,
    notReady,
    processes: parts.map(({ process, pid, said }) => ({
      process,
      pid,
      worker: typeof said === 'string' ? null : said.worker,
      ready: typeof said !== 'string' && said.ready === true,
      shardsOwned: typeof said === 'string' ? null : (sum(said.pipelines.map(owned)) ?? null),
    })),
    pipelines: [...pipelines.values()].map(jointPipeline),
  };
}

/** What each process says, with the process in front. */
export function ofProcess(process: number, texts: readonly string[]): readonly string[] {
  return texts.map(text => `process ${process}: ${text}`);
}

interface Metric {
  readonly heads: Map<string, string>;
  readonly samples: string[];
}

/** Each sample with the process as a label, and all samples of a metric together, as Prometheus wants it. */
export function jointMetrics(parts: readonly { readonly process: number; readonly text: string }[]): string {
  const metrics = new Map<string, Metric>();
  for (const { process, text } of parts) {
    let metric = '';
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const head = /^# (HELP|TYPE) (\S+)/.exec(line);
      metric = head?.[2] ?? metric;
      const entry: Metric = metrics.get(metric) ?? { heads: new Map(), samples: [] };
      metrics.set(metric, entry);
      if (head !== null) entry.heads.set(head[1] ?? '', line);
      else if (!line.startsWith('#')) entry.samples.push(labelled(line, process));
    }
  }
  const lines = [...metrics.values()].flatMap(({ heads, samples }) => [...heads.values(), ...samples]);
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function labelled(sample: string, process: number): string {
  const [, name = '', labels, value = ''] = /^([^\s{]+)(?:\{(.*)\})?( .*)$/.exec(sample) ?? [];
  const all = [...(labels === undefined || labels === '' ? [] : [labels]), `process="${process}"`].join(',');
  return `${name}{${all}}${value}`;
}

function jointPipeline(pipelines: readonly PipelineStatus[]): PipelineStatus {
  const [first] = pipelines;
  if (first === undefined) throw new Error('a pipeline that no process has');
  const reason = pipelines.find(pipeline => pipeline.reason !== undefined)?.reason;
  const reading = pipelines.filter(pipeline => (owned(pipeline) ?? 0) > 0);
  return {
    name: first.name,
    ...(reason !== undefined && { reason }),
    tables: first.tables.map(({ name }) => jointTable(pipelines.flatMap(({ tables }) => tables.filter(table => table.name === name)))),
    sinks: first.sinks.map(({ name }) => {
      const of = (those: readonly PipelineStatus[]) => those.flatMap(({ sinks }) => sinks.filter(sink => sink.name === name));
      return jointSink(of(pipelines), of(reading));
    }),
  };
}

function jointTable(tables: readonly TableStatus[]): TableStatus {
  const shards = tables.map(table => table.shards);
  return {
    name: tables[0]?.name ?? '',
    streamArn: tables.find(({ streamArn }) => streamArn !== null)?.streamArn ?? null,
    shards: {
      open: Math.max(...shards.map(({ open }) => open)),
      closed: Math.max(...shards.map(({ closed }) => closed)),
      owned: sum(shards.map(each => each.owned)),
      waiting: most(shards.map(({ waiting }) => waiting)),
    },
  };
}

/** Nothing is brisk because one process says so while another's sink is halted. */
const ALWAYS_COUNTS: ReadonlySet<SinkStatus['state']> = new Set(['halted', 'paused']);

function jointSink(all: readonly SinkStatus[], reading: readonly SinkStatus[]): SinkStatus {
  const [first] = all;
  if (first === undefined) throw new Error('a sink that no process has');
  const telling = reading.length === 0 ? all : all.filter(sink => reading.includes(sink) || ALWAYS_COUNTS.has(sink.state));
  const rank = ({ state }: SinkStatus) => (state === null ? SINK_STATES.length : SINK_STATES.indexOf(state));
  const worst = telling.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  const reasons = telling.filter(({ state, reason }) => state === worst.state && reason !== null).map(({ reason }) => reason);
  return {
    name: first.name,
    type: first.type,
    state: worst.state,
    reason: reasons.length === 0 ? null : [...new Set(reasons)].join('; '),
    lagSeconds: most(all.map(({ lagSeconds }) => lagSeconds)),
    retentionLeftSeconds: least(all.map(({ retentionLeftSeconds }) => retentionLeftSeconds)),
    ...eachCount(count => sum(all.map(sink => sink[count]))),
    // Of the whole service, as each process knows it: the one that knows most.
    gaps: most(all.map(({ gaps }) => gaps)),
    letters: most(all.map(({ letters }) => letters)),
    parkedKeys: most(all.map(({ parkedKeys }) => parkedKeys)),
  };
}

function owned({ tables }: PipelineStatus): number | null {
  return sum(tables.map(({ shards }) => shards.owned));
}

type Numbers = readonly (number | null)[];

const known = (numbers: Numbers): readonly number[] => numbers.filter(n => n !== null);
const sum = (numbers: Numbers): number | null => (known(numbers).length === 0 ? null : known(numbers).reduce((a, b) => a + b, 0));
const most = (numbers: Numbers): number | null => (known(numbers).length === 0 ? null : Math.max(...known(numbers)));
const least = (numbers: Numbers): number | null => (known(numbers).length === 0 ? null : Math.min(...known(numbers)));
