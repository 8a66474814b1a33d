import { expect } from 'chai';
import { jointMetrics, jointStatus } from '../../../src/admin/joint-status.ts';
import { eachCount, type SinkStatus, type Status } from '../../../src/model/status.ts';

const SINK: SinkStatus = {
  name: 'eu',
  type: 'replica',
  state: 'brisk',
  reason: null,
  lagSeconds: 0,
  retentionLeftSeconds: null,
  ...eachCount(() => 0),
  read: 10,
  written: 8,
  open: 2,
  gaps: 0,
  letters: 0,
  parkedKeys: 0,
};

const statusOf = (worker: string, owned: number, sink: Partial<SinkStatus> = {}, more: Partial<Status> = {}): Status => ({
  name: 'shop',
  worker,
  ready: true,
  notReady: [],
  pipelines: [
    {
      name: 'orders',
      tables: [{ name: 'orders', streamArn: owned ? 'arn' : null, shards: { open: owned ? 4 : 3, closed: 1, owned, waiting: 0 } }],
      sinks: [{ ...SINK, ...sink }],
    },
  ],
  ...more,
});

describe('admin/joint-status', () => {
  const all = (...statuses: (Status | string)[]) =>
    jointStatus(
      { name: 'shop', worker: 'first' },
      statuses.map((said, i) => ({ process: i + 1, pid: null, said })),
    );
  const sinkOf = (status: Status) => status.pipelines[0]?.sinks[0];

  it('sums counts, and takes the worst of lag and the least of what is left', () => {
    const joint = all(
      statusOf('a', 2, { lagSeconds: 3, retentionLeftSeconds: 80_000, gaps: 1 }),
      statusOf('b', 2, { read: 5, written: 5, open: 0, lagSeconds: 1, retentionLeftSeconds: 86_000 }),
    );
    expect(sinkOf(joint)).to.deep.equal({
      ...SINK,
      read: 15,
      written: 13,
      lagSeconds: 3,
      retentionLeftSeconds: 80_000,
      gaps: 1,
    });
    expect(joint.pipelines[0]?.tables[0]).to.deep.equal({
      name: 'orders',
      streamArn: 'arn',
      shards: { open: 4, closed: 1, owned: 4, waiting: 0 },
    });
    expect(joint).to.deep.include({
      worker: 'first',
      ready: true,
      processes: [
        { process: 1, pid: null, worker: 'a', ready: true, shardsOwned: 2 },
        { process: 2, pid: null, worker: 'b', ready: true, shardsOwned: 2 },
      ],
    });
  });

  it('a process without shards does not make a brisk sink wait; a halted sink shows wherever it is', () => {
    const idle = { state: 'waiting', reason: 'this worker holds no shard' } as const;
    expect(sinkOf(all(statusOf('a', 1), statusOf('b', 0, idle)))).to.include({ state: 'brisk', reason: null });
    expect(sinkOf(all(statusOf('a', 0, idle), statusOf('b', 0, idle)))).to.include(idle);
    const halted = { state: 'halted', reason: 'denied' } as const;
    expect(sinkOf(all(statusOf('a', 1), statusOf('b', 0, halted)))).to.include(halted);
    expect(sinkOf(all(statusOf('a', 1, { state: 'behind' }), statusOf('b', 1, halted)))).to.include(halted);
  });

  it('a process that says nothing makes all of it not ready, and is shown as such', () => {
    const joint = all(statusOf('a', 1, {}, { ready: false, notReady: ['no answer'] }), 'is starting');
    expect([joint.ready, joint.notReady]).to.deep.equal([false, ['process 1: no answer', 'process 2: is starting']]);
    expect(joint.processes?.[1]).to.deep.equal({ process: 2, pid: null, worker: null, ready: false, shardsOwned: null });
    expect(all('is starting', 'is starting').pipelines).to.deep.equal([]);
  });

  it('metrics carry the process, and stand together by name', () => {
    const text = (n: number) =>
      `# HELP a_total Some\n# TYPE a_total counter\na_total{sink="x, y"} ${n}\na_total{} 7\n# HELP b More\n# TYPE b gauge\nb ${n}.5\n`;
    expect(
      jointMetrics([
        { process: 1, text: text(1) },
        { process: 3, text: text(3) },
      ]),
    ).to.equal(
      [
        '# HELP a_total Some',
        '# TYPE a_total counter',
        'a_total{sink="x, y",process="1"} 1',
        'a_total{process="1"} 7',
        'a_total{sink="x, y",process="3"} 3',
        'a_total{process="3"} 7',
        '# HELP b More',
        '# TYPE b gauge',
        'b{process="1"} 1.5',
        'b{process="3"} 3.5',
        '',
      ].join('\n'),
    );
  });
});
