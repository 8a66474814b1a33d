/** Control rows in memory; the contract suite runs against this and the real store. */
import { byMaking } from '../../src/model/stream-arn.ts';
import type { ControlStore, GapRow, Member, SinkRequest, SinkStart, StreamRow } from '../../src/ports/control-store.ts';
import { type FakeFaults, underFate } from './fake-faults.ts';

export class FakeControlStore implements ControlStore {
  readonly starts = new Map<string, SinkStart>();
  readonly requests = new Map<string, SinkRequest>();
  readonly gapRows = new Map<string, GapRow>();
  readonly streamRows = new Map<string, StreamRow>();
  readonly memberRows = new Map<string, Member>();
  readonly faults: FakeFaults;

  constructor(faults: FakeFaults = { fate: () => 'pass' }) {
    this.faults = faults;
  }

  prepare(signal: AbortSignal): Promise<void> {
    return this.#call('prepare', signal, () => undefined);
  }

  sinkStarts(pipeline: string, signal: AbortSignal): Promise<readonly SinkStart[]> {
    return this.#call('sinkStarts', signal, () => [...this.starts.values()].filter(row => row.pipeline === pipeline));
  }

  createSinkStart(start: SinkStart, signal: AbortSignal): Promise<{ start: SinkStart; created: boolean }> {
    return this.#call('createSinkStart', signal, () => {
      const key = `${start.pipeline}/${start.sink}#${start.streamArn}`;
      const standing = this.starts.get(key);
      if (standing === undefined) this.starts.set(key, start);
      return { start: standing ?? start, created: standing === undefined };
    });
  }

  sinkRequests(signal: AbortSignal): Promise<readonly SinkRequest[]> {
    return this.#call('sinkRequests', signal, () => [...this.requests.values()]);
  }

  ask(pipeline: string, sink: string, paused: boolean, signal: AbortSignal): Promise<void> {
    return this.#call('ask', signal, () => {
      const key = `${pipeline}/${sink}`;
      const asked = (this.requests.get(key)?.asked ?? 0) + 1;
      this.requests.set(key, { pipeline, sink, paused, asked });
    });
  }

  addGap(row: GapRow, signal: AbortSignal): Promise<void> {
    return this.#call('addGap', signal, () => {
      const key = `${row.pipeline}#${row.streamArn}:${row.partition ?? ''}#${row.gap.reason}#${row.gap.from ?? ''}`;
      const sinks = [...new Set([...(this.gapRows.get(key)?.sinks ?? []), ...row.sinks])].sort();
      this.gapRows.set(key, { ...row, sinks });
    });
  }

  gaps(pipeline: string, signal: AbortSignal): Promise<readonly GapRow[]> {
    return this.#call('gaps', signal, () => [...this.gapRows.values()].filter(row => row.pipeline === pipeline));
  }

  streams(pipeline: string, signal: AbortSignal): Promise<readonly StreamRow[]> {
    return this.#call('streams', signal, () => [...this.streamRows.values()].filter(row => row.pipeline === pipeline).sort(byMaking));
  }

  putStream(row: StreamRow, signal: AbortSignal): Promise<void> {
    return this.#call('putStream', signal, () => {
      this.streamRows.set(`${row.pipeline}#${row.arn}`, row);
    });
  }

  members(signal: AbortSignal): Promise<readonly Member[]> {
    return this.#call('members', signal, () => [...this.memberRows.values()]);
  }

  beat(member: Omit<Member, 'beat' | 'bell'>, _expiresAt: number, signal: AbortSignal): Promise<void> {
    return this.#call('beat', signal, () => {
      const { beat, bell } = this.memberRows.get(member.worker) ?? { beat: 0, bell: 0 };
      this.memberRows.set(member.worker, { ...member, beat: beat + 1, bell });
    });
  }

  bell(worker: string, signal: AbortSignal): Promise<number | undefined> {
    return this.#call('bell', signal, () => this.memberRows.get(worker)?.bell);
  }

  ring(worker: string, signal: AbortSignal): Promise<void> {
    return this.#call('ring', signal, () => {
      const row = this.memberRows.get(worker);
      if (row !== undefined) this.memberRows.set(worker, { ...row, bell: row.bell + 1 });
    });
  }

  leave(worker: string, signal: AbortSignal): Promise<void> {
    return this.#call('leave', signal, () => {
      this.memberRows.delete(worker);
    });
  }

  #call<T>(operation: string, signal: AbortSignal, apply: () => T): Promise<T> {
    return underFate(this.faults, { operation, key: '', signal }, apply);
  }
}
