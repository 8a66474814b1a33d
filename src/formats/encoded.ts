/** What a format makes of a change: text for the wire, the text of its key, and what goes beside it as headers. */
import type { ChangeRecord } from '../model/change-record.ts';
import type { EpochMs } from '../model/units.ts';

export const FORMATS = ['kds', 'lambda', 'debezium', 'cloudevents', 'dynamodb-json', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface Encoded {
  /** Without a line end. */
  readonly value: string;
  /** As `keyJson` gives it: what consumers partition and compact by. */
  readonly key: string;
  /** Beside the value, where the target has headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
}

/** `traceparent`: W3C trace context that goes along, in the headers and where the format has a place for it. */
export type Encoder = (record: ChangeRecord, traceparent?: string) => Encoded;

export interface EncoderOptions {
  /** Items as DynamoDB JSON or as plain values. Default: plain for `json`, typed for all others; `dynamodb-json` is always typed. */
  readonly values?: 'typed' | 'plain';
  /** Where headers carry the attributes and the value only the data (CloudEvents' binary mode). Default: structured. */
  readonly binary?: boolean;
  /** Who writes; Debezium's topic prefix. Default: `tidemark`. */
  readonly name?: string;
  /** When a change is encoded, for formats that say so. Default: when the change was made. */
  readonly now?: () => EpochMs;
}
