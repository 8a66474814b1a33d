/** `status` for a person: a block per pipeline, a line per sink, the latest gaps. What nobody knows without a live worker is a dash. */
import { isoTime } from '../model/iso-time.ts';
import type { PipelineStatus, SinkStatus } from '../model/status.ts';
import type { GapRow } from '../ports/control-store.ts';
import type { StoredStatus } from '../runners/stored-status.ts';

/** Of all gaps, so many are shown. */
const SHOWN_GAPS = 10;

export function statusText({ status, owners, gaps }: StoredStatus): string {
  const held = Array.from(owners, ([owner, leases]) => `${owner} (${leases})`).join(', ');
  const blocks = [`${status.name}: leases are held by ${held || 'nobody'}`, ...status.pipelines.map(pipelineText), ...gapsText(gaps)];
  return blocks.join('\n\n');
}

function pipelineText({ name, reason, tables, sinks }: PipelineStatus): string {
  const about = tables.map(table => {
    const { open, closed } = table.shards;
    return `  table ${table.name}: ${table.streamArn === null ? 'never read' : `${open} open and ${closed} closed shards, ${table.streamArn}`}`;
  });
  return [`pipeline ${name}${reason === undefined ? '' : `: ${reason}`}`, ...about, ...columns([HEAD, ...sinks.map(sinkCells)])].join('\n');
}

function gapsText(gaps: readonly GapRow[]): string[] {
  if (gaps.length === 0) return [];
  const head = gaps.length > SHOWN_GAPS ? `gaps, the latest ${SHOWN_GAPS} of ${gaps.length}` : 'gaps';
  return [[head, ...gaps.slice(-SHOWN_GAPS).map(gapLine)].join('\n')];
}

function gapLine({ pipeline, table, partition, sinks, gap }: GapRow): string {
  const range = gap.from === undefined && gap.to === undefined ? '' : `, from ${gap.from ?? 'the start'} to ${gap.to ?? 'the end'}`;
  const where = `${pipeline}, table ${table}${partition === undefined ? '' : `, ${partition}`}`;
  return `  ${isoTime(gap.at, 0)} ${where}: ${gap.reason}${range}; lost to ${sinks.join(', ')}: ${gap.note}`;
}

const HEAD = ['sink', 'type', 'state', 'gaps', 'reason'];

function sinkCells({ name, type, state, gaps, reason }: SinkStatus): string[] {
  return [name, type, state ?? '-', String(gaps ?? '-'), reason ?? ''];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  return rows.map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
