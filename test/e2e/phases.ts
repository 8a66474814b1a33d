/**
 * A load in phases, each with its own fault at one target, and what it did to the lag of the others: from the writer's time in the item until it was
 * durable, as each target says itself (the replica by a probe that looks for it). The hurt target has to be complete at the end too.
 */
import { lagsOf, percentiles } from '../run/held-against.ts';
import { probeReplica } from '../run/lag-probe.ts';
import type { OrderWriter } from '../run/order-writer.ts';
import { readArchive, readKinesis, type Seen } from '../run/read-back.ts';
import type { Shop } from './shop.ts';
import { print } from './verdicts.ts';

export interface Fault {
  readonly name: string;
  /** The sink that is hurt; none: this phase is what the others are held against. */
  readonly hurt: string | undefined;
  readonly begin: () => Promise<void>;
  readonly end: () => Promise<void>;
  /** More than these are not asked to keep their lag: they share what is hurt. */
  readonly excused?: readonly string[];
}

export interface Phase {
  readonly fault: Fault;
  readonly from: number;
  readonly to: number;
  readonly probed: readonly number[];
}

/** Writes for so long while the fault lasts. */
export async function playPhase(
  shop: Shop,
  fault: Fault,
  load: { writer: OrderWriter; perSecond: number; seconds: number },
): Promise<Phase> {
  const over = new AbortController();
  await fault.begin();
  const from = Date.now();
  const probing = fault.hurt === 'eu' ? Promise.resolve([]) : probeReplica(shop.places, load.writer, over.signal);
  await load.writer.write(load.perSecond * load.seconds, { perSecond: load.perSecond, signal: over.signal });
  const to = Date.now();
  over.abort();
  await fault.end();
  return { fault, from, to, probed: await probing };
}

export type Lags = Readonly<Record<string, { readonly p50Ms: number | undefined; readonly p99Ms: number | undefined }>>;

/** Per phase and sink. */
export async function lagsByPhase(shop: Shop, phases: readonly Phase[], kafka: readonly Seen[]): Promise<readonly Lags[]> {
  const [kinesis, archive] = await Promise.all([readKinesis(shop.places.kinesis), readArchive(shop.places.s3)]);
  return phases.map(({ from, to, probed }) => {
    const during = (seen: readonly Seen[]) => percentiles(lagsOf(seen.filter(({ writtenAt }) => writtenAt >= from && writtenAt <= to)));
    return { eu: percentiles(probed), changes: during(kinesis), events: during(kafka), archive: during(archive) };
  });
}

/** Twice the lag without the fault, or 250 ms more. Prints all; answers what is above. */
export function held(phases: readonly Phase[], lags: readonly Lags[]): readonly string[] {
  const sinks = Object.keys(lags[0] ?? {});
  const usual = lags[0] ?? {};
  const above: string[] = [];
  const cells = phases.map(({ fault }, i) =>
    sinks.map(sink => {
      const { p50Ms, p99Ms } = lags[i]?.[sink] ?? {};
      const text = `${ms(p50Ms)} / ${ms(p99Ms)}`;
      if (fault.hurt === undefined) return text;
      if (fault.hurt === sink) return `(${text})`;
      if (fault.excused?.includes(sink)) return `[${text}]`;
      const usualMs = usual[sink]?.p99Ms ?? 0;
      const limitMs = Math.max(2 * usualMs, usualMs + 250);
      const isAbove = p99Ms === undefined || p99Ms > limitMs;
      if (isAbove) above.push(`${fault.name}: p99 of ${sink} is ${ms(p99Ms)} ms, above ${ms(limitMs)} ms`);
      return text;
    }),
  );
  print([['p50 / p99 in ms', ...sinks], ...phases.map(({ fault }, i) => [fault.name, ...(cells[i] ?? [])])]);
  return above;
}

const ms = (value: number | undefined): string => (value === undefined ? '-' : String(Math.round(value)));
