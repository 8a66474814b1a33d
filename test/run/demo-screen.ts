/**
 * What the demo shows: a table of the sinks that is drawn anew on a terminal, and a line every two seconds elsewhere; and the moments that matter (the
 * kill, the recovery), which stay on the screen.
 */
import type { SinkStatus, Status } from '../../src/model/status.ts';

export interface Screen {
  /** Something happened. */
  say(line: string): void;
  /** The state of things; `earlier` is what former lives of the daemon delivered, per sink. */
  show(state: { status: Status | undefined; written: number; target: number | undefined; earlier: ReadonlyMap<string, number> }): void;
  /** Leaves the table as it is. */
  end(): void;
}

const COLUMNS = ['sink', 'type', 'state', 'delivered', 'in flight', 'lag'] as const;
const LINE_EVERY_MS = 2_000;

export function screen(out: NodeJS.WriteStream): Screen {
  const live = out.isTTY === true;
  let drawn = 0;
  let saidAt = 0;
  const wipe = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  return {
    say(line) {
      wipe();
      out.write(`${line}\n`);
    },
    show({ status, written, target, earlier }) {
      const sinks = status?.pipelines[0]?.sinks ?? [];
      const head = `written ${progress(written, target)}   daemon ${status === undefined ? 'DOWN' : (status.worker ?? '')}`;
      if (!live) {
        if (Date.now() - saidAt < LINE_EVERY_MS) return;
        saidAt = Date.now();
        const each = sinks.map(sink => `${sink.name} ${delivered(sink, earlier)} ${sink.state} ${lag(sink)}`);
        out.write(`  ${head} | ${each.join(' | ') || 'no answer'}\n`);
        return;
      }
      const rows = sinks.map(sink => [
        sink.name,
        sink.type,
        sink.state ?? '?',
        String(delivered(sink, earlier)),
        String(sink.open ?? 0),
        lag(sink),
      ]);
      wipe();
      const lines = [head, ...columns([COLUMNS, ...rows]), ...(sinks.length === 0 ? ['  (no answer from the daemon)'] : [])];
      out.write(`${lines.map(line => `  ${line}`).join('\n')}\n`);
      drawn = lines.length;
    },
    end() {
      drawn = 0;
    },
  };
}

const delivered = (sink: SinkStatus, earlier: ReadonlyMap<string, number>): number => (earlier.get(sink.name) ?? 0) + doneIn(sink);

/** Records that a life of the daemon has finished at a sink. */
export function doneIn(sink: SinkStatus): number {
  return (sink.written ?? 0) + (sink.coalesced ?? 0) + (sink.superseded ?? 0);
}

const lag = (sink: SinkStatus): string => (sink.lagSeconds === null ? '?' : `${sink.lagSeconds.toFixed(1)} s`);

function progress(written: number, target: number | undefined): string {
  return target === undefined ? String(written) : `${written}/${target}`;
}

/** Pads cells so that columns stand under each other; numbers to the right. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)));
  const cell = (text: string, i: number) => (/^[\d.]+( s| ms)?$/.test(text) ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0));
  return rows.map(row => row.map(cell).join('  ').trimEnd());
}
