/**
 * The short cut for puts: 25 PartiQL statements in one call, each with its own condition. An insert is tried as INSERT; a change as UPDATE by the
 * difference of its images, only on top of what this process wrote itself. Whatever a statement refuses is decided by a single put, so nothing here
 * has to be right about the replica's state. A service or a role that does not take statements switches it off.
 */
import type { Log } from '../../src/ports/log.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { Statement, StatementError, TableApi } from '../../src/ports/table-api.ts';
import { insertStatement, STATEMENTS_PER_CALL, updateStatement } from '../../src/replication/statements.ts';
import { mayStillLand } from './bounded-table.ts';
import type { LatePuts } from './late-puts.ts';
import { type Outcome, outcomeOf, WRITTEN } from './outcomes.ts';
import type { Work } from './work.ts';
import type { WrittenImages } from './written-images.ts';

/** A record larger than this goes alone: 25 of them are an answerable request. */
const LARGEST_BYTES = 100_000;

export interface FastParts {
  readonly api: TableApi;
  readonly log: Log;
  readonly writer: string;
  readonly stampAttribute: string;
  readonly latePuts: LatePuts;
  readonly images: WrittenImages;
  /** The single write that decides. */
  readonly decide: (work: Work, signal: AbortSignal) => Promise<Outcome>;
}

export interface Stated {
  readonly work: Work;
  readonly statement: Statement;
}

export class FastPuts {
  readonly #parts: FastParts;
  #off = false;

  constructor(parts: FastParts) {
    this.#parts = parts;
  }

  /** Undefined when it cannot be written so. */
  statementOf(work: Work): Statement | undefined {
    const { record, reading } = work.change;
    if (this.#off || reading.is !== 'put' || record.bytes > LARGEST_BYTES) return undefined;
    const { table, keyNames, rules } = work.target;
    const { writer, stampAttribute, images } = this.#parts;
    const after = rules.marked(reading.image, reading.version);
    if (record.kind === 'insert') return insertStatement(table, after);
    if (record.before === undefined) return undefined;
    const before = rules.unmarked(record.before);
    const s = images.stampOf(work.place, before);
    if (s === undefined) return undefined;
    return updateStatement({ table, keyNames, before, after, stampAttribute, on: { s, p: writer } });
  }

  /** In the order given. */
  async write(stated: readonly Stated[], signal: AbortSignal): Promise<Outcome[]> {
    const groups = Array.from({ length: Math.ceil(stated.length / STATEMENTS_PER_CALL) }, (_, i) =>
      stated.slice(i * STATEMENTS_PER_CALL, (i + 1) * STATEMENTS_PER_CALL),
    );
    const outcomes = await Promise.all(groups.map(group => this.#writeGroup(group, signal)));
    return outcomes.flat();
  }

  async #writeGroup(group: readonly Stated[], signal: AbortSignal): Promise<Outcome[]> {
    try {
      const Statements = group.map(each => each.statement);
      const { Responses } = await this.#parts.api.call('BatchExecuteStatement', { Statements }, signal);
      return await Promise.all(group.map(({ work }, i) => this.#answered(work, Responses[i]?.Error, signal)));
    } catch (error) {
      return this.#refused(group, error, signal);
    }
  }

  async #answered(work: Work, error: StatementError | undefined, signal: AbortSignal): Promise<Outcome> {
    const { images, latePuts, decide } = this.#parts;
    const { reading } = work.change;
    if (error === undefined && reading.is === 'put') {
      images.wrote(work.place, reading.version.s, reading.image);
      return WRITTEN;
    }
    images.forget(work.place);
    const fault = faultOf(error);
    if (fault.class === 'denied') this.#switchOff(fault);
    if (fault.class === 'condition' || fault.class === 'denied' || error?.Code === 'ValidationError') return decide(work, signal);
    if (mayStillLand(fault)) latePuts.gaveUp(work.place);
    return outcomeOf(fault, { action: 'BatchExecuteStatement', table: work.target.table });
  }

  /** The call as a whole. */
  async #refused(group: readonly Stated[], error: unknown, signal: AbortSignal): Promise<Outcome[]> {
    const { images, latePuts, decide } = this.#parts;
    for (const { work } of group) {
      images.forget(work.place);
      if (mayStillLand(error)) latePuts.gaveUp(work.place);
    }
    if (error instanceof ServiceFault && (error.class === 'denied' || error.class === 'invalid')) {
      if (error.name !== 'ValidationException') this.#switchOff(error);
      return Promise.all(group.map(({ work }) => decide(work, signal)));
    }
    return group.map(({ work }) => outcomeOf(error, { action: 'BatchExecuteStatement', table: work.target.table }));
  }

  #switchOff(fault: ServiceFault): void {
    if (this.#off) return;
    this.#off = true;
    this.#parts.log.warn(
      { error: fault.name },
      'PartiQL statements are refused (dynamodb:PartiQLInsert, dynamodb:PartiQLUpdate): items are written one by one, at about five times the cost',
    );
  }
}

const CONDITION = new Set(['DuplicateItem', 'ConditionalCheckFailed']);
const THROTTLED = new Set(['RequestLimitExceeded', 'ProvisionedThroughputExceeded', 'ThrottlingError', 'TransactionConflict']);

/** A statement's own error as the fault that the whole request would have been. */
function faultOf(error: StatementError | undefined): ServiceFault {
  const { Code = 'NoAnswer', Message = 'the answer says nothing of this statement' } = error ?? {};
  return new ServiceFault(Code, Message, { class: classOf(Code) });
}

function classOf(code: string): ServiceFault['class'] {
  if (CONDITION.has(code)) return 'condition';
  if (THROTTLED.has(code)) return 'throttled';
  if (code === 'AccessDenied') return 'denied';
  if (code === 'ResourceNotFound') return 'missing';
  if (code === 'ItemCollectionSizeLimitExceeded' || code === 'ValidationError') return 'invalid';
  return 'server';
}
