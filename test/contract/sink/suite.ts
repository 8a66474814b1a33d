/**
 * What a connector tells the contract suite of itself: its target, what it promises beyond its traits, and which faults its target can be made to have.
 * A fault that cannot be made is declared with the reason, so that nothing goes untested in silence.
 */
import type { Connector } from '../../../src/connector.ts';
import type { ChangeRecord } from '../../../src/model/change-record.ts';
import type { Image, Item } from '../../../src/model/item.ts';
import type { Ms } from '../../../src/model/units.ts';
import type { TestHostParts } from '../../fakes/test-host.ts';

/** What the target shows of one change that it keeps (`keeps: 'log'`, in its own order) or of one item (`keeps: 'state'`: only `after`). */
export interface Seen {
  readonly eventId?: string;
  /** The new image, where the format carries it exactly; without what the connector adds to it. */
  readonly after?: Image | undefined;
  /** A message that only says that the key is gone. */
  readonly tombstone?: true;
}

export interface Faults {
  /** Takes what is sent, answers nothing, and does nothing of it, now or later. */
  hang(): Promise<void>;
  /** Cannot be reached. */
  refuse(): Promise<void>;
  /** Does its work, and its answers are lost. */
  loseAnswers(): Promise<void>;
  /** Asks to slow down. */
  throttle(): Promise<void>;
  /** Fails these records for now, and takes the others. */
  failRecords(records: readonly ChangeRecord[]): Promise<void>;
  /** Says that there is no permission. */
  deny(): Promise<void>;
  /** Is not there any more. */
  remove(): Promise<void>;
}

export type FaultName = keyof Faults;

export const FAULT_NAMES: readonly FaultName[] = ['hang', 'refuse', 'loseAnswers', 'throttle', 'failRecords', 'deny', 'remove'];

export interface SinkTarget {
  /** The connector's options, as in a settings file, that lead to this target. */
  readonly options: object;
  /** Clients and the like that the connector is to be lent. */
  readonly host?: TestHostParts;
  /** Name of the target; it must be in the text of a missing target or permission. */
  readonly resource?: string;
  /** The action of the target's API that is missing when it is denied, as `kinesis:PutRecords`; must be in that text too. */
  readonly action?: string;
  /** All that the target holds. */
  readBack(): Promise<readonly Seen[]>;
  readonly faults?: Partial<Faults>;
  /** Ends all faults. What was held back is gone; a target that was removed is there again, empty. */
  heal?(): Promise<void>;
  /** Frees what belongs to this target alone. */
  stop?(): Promise<void>;
}

export interface SinkPromises {
  /** What the target can show: each change, the items as they are, or nothing. */
  readonly keeps: 'log' | 'state' | 'nothing';
  /** Whether some records of a batch can fail while others are durable. */
  readonly partialFailure: 'by-index' | 'whole-batch';
  /** A batch that is written once more: leaves the target as it was, or leaves the batch in it twice (in order of first arrival). */
  readonly replay: 'harmless' | 'duplicates';
  /** A removal is followed by a tombstone. */
  readonly tombstones: boolean;
  /** `readBack` gives new images exactly as they were in the stream. */
  readonly exactImages: boolean;
  /** Bytes of text that a record's item may well hold, and so many that the target refuses it; or why there is no such limit. */
  readonly recordLimit: { readonly fits: number; readonly tooLarge: number } | { readonly none: string };
}

export interface SinkSuite<Options> {
  readonly connector: Connector<Options>;
  /** Options as in a settings file, from which the traits are read that choose the cases. Each target's own may differ in where they lead. */
  readonly sample: object;
  /** A fresh, empty target. Called in each case, so after the hooks that start servers. Its items have the key `pk` (text) and `sk` (number). */
  target(): Promise<SinkTarget>;
  readonly promises: SinkPromises;
  /** The faults that this target cannot be made to have, each with the reason. */
  readonly cannot: Partial<Record<FaultName, string>>;
  /** Attributes that each item needs (a version, say); `n` rises with each change. */
  readonly attributes?: (n: number) => Item;
  /** How long the target may take to show what reached it, and to be sure that nothing more does. 0 for a fake. Default 250. */
  readonly quietMs?: Ms;
  /** Of one case. Default 20,000. */
  readonly timeoutMs?: Ms;
}

export interface SinkCase {
  readonly title: string;
  run(): Promise<void>;
}
