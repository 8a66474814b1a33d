/** When streams were made, and in which order. */
import { epochMs } from './iso-time.ts';
import type { EpochMs } from './units.ts';

export interface SeenStream {
  readonly arn: string;
  readonly firstSeenAt: EpochMs;
}

/** A time as the service writes it, always as long; at some local servers epoch seconds. */
const LABEL = /\/stream\/(\d{4}-\d\d-\d\dT[\d:.]+|\d{10}(?!\d)(?:\.\d+)?)/;

/**
 * By their labels, in which a server wrote when it made them. When a worker first saw them tells only streams without such a label apart: the clocks of
 * two workers may differ by more than lies between a stream and its successor.
 */
export function byMaking(a: SeenStream, b: SeenStream): number {
  const [labelA, labelB] = [LABEL.exec(a.arn)?.[1], LABEL.exec(b.arn)?.[1]];
  if (labelA === undefined || labelB === undefined || labelA === labelB) return a.firstSeenAt - b.firstSeenAt;
  return labelA < labelB ? -1 : 1;
}

/** By its label; undefined where a server writes none that says so. */
export function madeAt(arn: string): EpochMs | undefined {
  const label = LABEL.exec(arn)?.[1];
  if (label === undefined) return undefined;
  return label.includes('T') ? epochMs(label) : Number(label) * 1000;
}
