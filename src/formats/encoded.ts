/** What a format makes of a change: text for the wire, the text of its key, and what goes beside it as headers. */
import type { ChangeRecord } from '../model/change-record.ts';
import type { Image } from '../model/item.ts';

export const FORMATS = ['kds', 'lambda', 'debezium', 'cloudevents', 'dynamodb-json', 'json'] as const;
export type Format = (typeof FORMATS)[number];

export interface Encoded {
  readonly value: string;
  /** The item's key as JSON with plain values, in the order of the key's attributes: what consumers partition and compact by. */
  readonly key: string;
  /** Beside the value, where the target has headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
}

export type Encoder = (record: ChangeRecord) => Encoded;

export interface EncoderOptions {
  /** Images as typed DynamoDB JSON (lossless, default) or as plain values. The AWS shapes (`kds`, `lambda`, `dynamodb-json`) are always typed. */
  readonly values?: 'typed' | 'plain';
  /** Where headers carry the attributes and the value only the data (CloudEvents' binary mode). Default: structured. */
  readonly binary?: boolean;
  /** When a change is encoded, epoch ms, for formats that say so. Default: when the change was made. */
  readonly now?: () => number;
}

/** JSON text of an image; `null` where there is none. */
export type ImageText = (image: Image | undefined) => string;
