/** The judge of the fleet's lines is judged: what it is to find, it finds. */
import { expect } from 'chai';
import type { Fault, FaultKind, Line } from './fleet.ts';
import { changes, duplicates, lossesOf, zombies } from './fleet-verdict.ts';

const line = (change: number, pid: number, at: number, table = 't'): Line => ({
  key: `${table}/k`,
  table,
  change: String(change),
  pid,
  at,
});
const fault = (kind: FaultKind, pid: number, at: number): Fault => ({ kind, pid, at, alone: true });

describe('verdict on a fleet', () => {
  it('names the cause of each change of readers, and measures from it', () => {
    const lines = [line(1, 1, 1_000), line(2, 2, 4_500), line(3, 1, 6_000), line(4, 3, 9_000), line(5, 2, 12_000)];
    const faults = [fault('kill', 1, 6_050), fault('freeze', 3, 9_100), fault('term', 1, 1_100)];
    expect(changes(lines, { faults, losses: [{ pid: 2, at: 5_000 }], leaseMs: 3_000 }).map(({ cause, ms }) => [cause, ms])).to.deep.equal([
      ['handed', 3_500],
      ['lost', 1_500],
      ['kill', 2_950],
      ['freeze', 2_900],
    ]);
  });

  it('finds who writes in the midst of another one', () => {
    const lines = [line(1, 1, 1_000), line(2, 2, 4_000), line(3, 1, 4_050), line(4, 2, 4_100)];
    expect(zombies(lines)).to.deep.equal(['t: process 1 wrote at 4050 between lines of 2 at 4000 and 4100']);
    expect(zombies([line(1, 1, 1_000), line(2, 2, 2_000), line(3, 1, 3_000)])).to.deep.equal([]);
    expect(zombies([line(1, 1, 1_000, 'a'), line(1, 2, 1_010, 'b'), line(2, 1, 1_020, 'a')])).to.deep.equal([]);
  });

  it('explains what came twice by what stopped its writer, and by nothing else', () => {
    const lines = [line(1, 1, 1_000), line(2, 1, 1_900), line(1, 2, 5_000), line(2, 2, 5_000), line(2, 3, 6_000)];
    const { agesMs, unexplained } = duplicates(lines, [fault('kill', 1, 2_000), fault('term', 2, 5_500)], []);
    expect([agesMs, unexplained]).to.deep.equal([[1_000, 100, 100], []]);
    expect(duplicates([line(1, 2, 1_000), line(1, 3, 2_000)], [fault('term', 2, 1_500)], []).unexplained).to.have.length(1);
  });

  it('reads losses from a log', () => {
    const log = [
      '{"level":"warn","time":"2026-01-01T00:00:01.000Z","msg":"the lease is lost; its run ends at once"}',
      '{"level":"info","time":"2026-01-01T00:00:02.000Z","msg":"stopped"}',
      '',
    ];
    expect(lossesOf(7, log.join('\n'))).to.deep.equal([{ pid: 7, at: Date.UTC(2026, 0, 1, 0, 0, 1) }]);
  });
});
