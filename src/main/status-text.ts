/** `status` for a person: one block per pipeline, one line per sink. What nobody knows without a live worker is a dash. */
import type { PipelineStatus, SinkStatus } from '../model/status.ts';
import type { StoredStatus } from '../runners/stored-status.ts';

export function statusText({ status, owners }: StoredStatus): string {
  const held = Array.from(owners, ([owner, leases]) => `${owner} (${leases})`).join(', ');
  const blocks = [`${status.name}: leases are held by ${held || 'nobody'}`, ...status.pipelines.map(pipelineText)];
  return blocks.join('\n\n');
}

function pipelineText({ name, reason, tables, sinks }: PipelineStatus): string {
  const about = tables.map(table => {
    const { open, closed } = table.shards;
    return `  table ${table.name}: ${table.streamArn === null ? 'never read' : `${open} open and ${closed} closed shards, ${table.streamArn}`}`;
  });
  return [`pipeline ${name}${reason === undefined ? '' : `: ${reason}`}`, ...about, ...columns([HEAD, ...sinks.map(sinkCells)])].join('\n');
}

const HEAD = ['sink', 'type', 'state', 'gaps', 'reason'];

function sinkCells({ name, type, state, gaps, reason }: SinkStatus): string[] {
  return [name, type, state ?? '-', String(gaps ?? '-'), reason ?? ''];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  return rows.map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
