/**
 * The stamp of a change: its place in the history of its key, as text that sorts. A sequence number alone is not enough: a table that is re-created
 * or restored has a new stream, whose numbers may begin again below the old ones, and a replica that knew only numbers would then refuse every write.
 * So the stream's creation stands in front, and a later stream is always newer.
 */
import type { Token } from '../model/position.ts';
import type { EpochMs } from '../model/units.ts';

/** `<stream's creation, epoch ms, 13 digits>:<sequence number, 40 digits>`. Compared as text. */
export type Stamp = string;

const STREAM_DIGITS = 13;
const SEQUENCE_DIGITS = 40;
const STAMP = /^\d{13}:\d{40}$/;
const SEQUENCE = /^\d{1,40}$/;
const BEFORE_ALL = `:${'0'.repeat(SEQUENCE_DIGITS)}`;

/** Undefined when the token is no sequence number: such a change has no place in a stream. */
export function stampOf(streamCreatedAt: EpochMs, token: Token): Stamp | undefined {
  return SEQUENCE.test(token) ? `${streamDigits(streamCreatedAt)}:${token.padStart(SEQUENCE_DIGITS, '0')}` : undefined;
}

/** Before every record of the stream: what a row of a scan is given, so that the stream always wins over the scan. */
export function snapshotStamp(streamCreatedAt: EpochMs): Stamp {
  return `${streamDigits(streamCreatedAt)}${BEFORE_ALL}`;
}

export function isSnapshotStamp(stamp: Stamp): boolean {
  return stamp.endsWith(BEFORE_ALL);
}

export function isStamp(text: string): boolean {
  return STAMP.test(text);
}

function streamDigits(createdAt: EpochMs): string {
  return String(createdAt).padStart(STREAM_DIGITS, '0');
}
