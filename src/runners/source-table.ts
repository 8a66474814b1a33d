/**
 * Finds a pipeline's table and its stream. What only an operator can mend is a SourceTrouble: it names the place and the mend, and halts the pipeline;
 * everything else passes by itself.
 */
import type { ViewType } from '../model/change-record.ts';
import type { Ms } from '../model/units.ts';
import type { Clock } from '../ports/clock.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import type { TableApi, TableDescription } from '../ports/table-api.ts';
import type { PipelinePlan, SourcePlan } from './daemon-plan.ts';

export class SourceTrouble extends Error {
  override readonly name = 'SourceTrouble';
}

export interface SourceTable {
  /** Unique for all times; the ARN where a local server has no ids. */
  readonly tableId: string;
  /** Of the newest stream, which may be disabled. */
  readonly streamArn: string;
  readonly viewType?: ViewType;
}

const ENABLE_POLL_MS: Ms = 1_000;

export async function sourceTable(
  plan: SourcePlan,
  { tables, clock }: { tables: TableApi; clock: Clock },
  signal: AbortSignal,
): Promise<SourceTable> {
  for (let asked = false; ; ) {
    const table = await described(plan, tables, signal);
    if (table.LatestStreamArn !== undefined) return found(table, table.LatestStreamArn);
    if (!plan.enableStream) {
      throw new SourceTrouble(
        `table ${plan.table} in ${plan.region} has no stream; enable one with the view type NEW_AND_OLD_IMAGES, or set source.enableStream: true`,
      );
    }
    if (!asked) await enableStream(plan, tables, signal);
    asked = true;
    await clock.sleep(ENABLE_POLL_MS, signal);
    signal.throwIfAborted();
  }
}

function found(table: TableDescription, streamArn: string): SourceTable {
  const tableId = table.TableId ?? table.TableArn;
  const viewType = table.StreamSpecification?.StreamViewType;
  return viewType === undefined ? { tableId, streamArn } : { tableId, streamArn, viewType: viewType as ViewType };
}

async function described(plan: SourcePlan, tables: TableApi, signal: AbortSignal): Promise<TableDescription> {
  try {
    return (await tables.call('DescribeTable', { TableName: plan.table }, signal)).Table;
  } catch (error) {
    throw troubleOf(error, plan, 'dynamodb:DescribeTable') ?? error;
  }
}

async function enableStream(plan: SourcePlan, tables: TableApi, signal: AbortSignal): Promise<void> {
  const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
  try {
    await tables.call('UpdateTable', { TableName: plan.table, StreamSpecification }, signal);
  } catch (error) {
    // Another worker that starts too may have been the first: then it is refused, and the stream is there.
    if (error instanceof ServiceFault && error.class === 'invalid' && (await described(plan, tables, signal)).LatestStreamArn !== undefined)
      return;
    throw troubleOf(error, plan, 'dynamodb:UpdateTable') ?? error;
  }
}

/** What an operator has to mend, of a fault of the source; undefined for what passes. */
export function troubleOf(error: unknown, plan: SourcePlan, action: string): SourceTrouble | undefined {
  if (!(error instanceof ServiceFault)) return undefined;
  const where = `table ${plan.table} in ${plan.region}`;
  if (error.class === 'denied') return new SourceTrouble(`no permission for ${action} on ${where}: ${error.message}`, { cause: error });
  if (error.class === 'missing') return new SourceTrouble(`${where} is not there: ${error.message}`, { cause: error });
  if (error.class === 'invalid') return new SourceTrouble(`${where} cannot be read: ${error.message}`, { cause: error });
  return undefined;
}

/** Every enabled sink must be able to work with what the stream carries. */
export function checkViewType({ source, sinks }: PipelinePlan, has: ViewType): void {
  const complaints = sinks.flatMap(({ name, type, enabled, connector, options }) => {
    const needs = connector.needs?.(options) ?? [];
    if (!enabled || needs.length === 0 || needs.includes(has)) return [];
    return [`sink ${name} (${type}) needs ${needs.join(' or ')}`];
  });
  if (complaints.length === 0) return;
  throw new SourceTrouble(
    `the stream of table ${source.table} has the view type ${has}, but ${complaints.join('; ')}; disable the stream and enable it again with that view type`,
  );
}
