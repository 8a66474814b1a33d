/**
 * A source that misbehaves as no local server can be made to, over HTTP: records trimmed before they were read, events that nobody knows, permissions that
 * are missing, signatures that are too old. What a user reads then in status, log, metrics and readiness.
 */
import { expect } from 'chai';
import { NothingCanRun } from '../../src/runners/daemon-parts.ts';
import { refusal } from '../fakes/aws-stub.ts';
import { StubSourceWorld, until } from '../fakes/stub-source-world.ts';

describe('a source that misbehaves', function () {
  this.timeout(60_000);
  let world: StubSourceWorld;
  beforeEach(() => {
    world = new StubSourceWorld(['a']);
  });
  afterEach(() => world.close());

  const keys = () => world.target('a').delivered.map(({ kind, keys: { pk } }) => `${kind} ${Object.values(pk ?? {})[0]}`);
  const lines = (level: string) => world.log.lines.filter(line => line.level === level);

  async function trimmedMeanwhile(onGap: 'continue' | 'halt') {
    const first = await world.start();
    world.stream.write(5);
    await until(() => keys().length === 5);
    await first.stop();
    world.stream.write(10);
    world.stream.trimmed = 12;
    return world.start({ onGap });
  }

  it('trimmed before it was read: a gap in status, log and metrics, and what is left is delivered', async () => {
    const running = await trimmedMeanwhile('continue');
    await until(() => keys().length === 8);
    expect(keys().slice(5)).to.deep.equal(['insert k13', 'insert k14', 'insert k15']);
    expect(running.sink('a').gaps).to.equal(1);
    const [line] = lines('error');
    expect(line?.message).to.match(/^records were lost: records had been trimmed before they were read/);
    expect(line?.fields).to.include({
      pipeline: 'p',
      table: 'orders',
      reason: 'trimmed',
      from: '000000000000000000005',
      to: '000000000000000000013',
    });
    expect(await world.metrics()).to.match(/^tidemark_gaps_total\{[^}]*reason="trimmed"[^}]*\} 1$/m);
  });

  it('the same with onGap: halt: the sink halts and says what was lost; a resume goes on', async () => {
    const running = await trimmedMeanwhile('halt');
    await until(() => running.sink('a').state === 'halted');
    expect(running.sink('a')).to.include({ gaps: 1, reason: 'records were lost: records had been trimmed before they were read' });
    await running.work.resume('p', 'a');
    await until(() => keys().length === 8);
    await until(() => running.sink('a').state === 'brisk');
  });

  it('an event that nobody knows is judged by its images, and told once', async () => {
    await world.start();
    world.stream.write(1);
    world.stream.write(1, { eventName: 'EXPIRE', removed: true });
    world.stream.write(1, { eventName: 'EXPIRE', removed: true });
    await until(() => keys().length === 3);
    expect(keys()).to.deep.equal(['insert k1', 'remove k2', 'remove k3']);
    expect(lines('warn').map(({ message }) => message)).to.deep.equal([
      'unknown event name EXPIRE: such changes are judged by their images',
    ]);
  });

  for (const [operation, action, what] of [
    ['DescribeTable', 'dynamodb:DescribeTable', 'dynamodb:DescribeTable on table orders'],
    ['DescribeStream', 'dynamodb:DescribeStream', 'the stream on table orders'],
  ] as const) {
    it(`no permission for ${operation} and nothing else to run: it ends, with action and resource`, async () => {
      world.stream.judge = name =>
        name === operation ? refusal('AccessDeniedException', `not authorized to perform: ${action}`) : undefined;
      const { error } = await (await world.start()).ended;
      expect(error).to.be.instanceOf(NothingCanRun);
      const [reason] = (error as NothingCanRun).reasons;
      expect(reason).to.include(`no permission for ${what} in us-east-1`).and.include(action);
    });
  }

  it('a permission that is taken away while it runs: not ready, with action and resource, and it does not end', async () => {
    const running = await world.start();
    world.stream.write(5);
    await until(() => keys().length === 5);
    world.stream.judge = name =>
      name === 'GetRecords' ? refusal('AccessDeniedException', 'not authorized to perform: dynamodb:GetRecords') : undefined;
    await until(() => running.work.notReady().length > 0);
    expect(running.work.notReady()).to.deep.equal([
      'pipeline p halts: no permission for the stream on table orders in us-east-1: not authorized to perform: dynamodb:GetRecords',
    ]);
    expect(running.work.status().pipelines[0]?.reason).to.match(/^no permission for the stream on table orders/);
    expect(lines('error').map(({ message }) => message)).to.deep.equal([
      'the pipeline halts: no permission for the stream on table orders in us-east-1: not authorized to perform: dynamodb:GetRecords',
    ]);
  });

  it('signatures that are too old and tokens that have expired are signed again: nothing halts', async () => {
    const running = await world.start();
    let refused = 0;
    const names = ['ExpiredTokenException', 'RequestExpired', 'InvalidSignatureException'];
    world.stream.judge = name => {
      if (name !== 'GetRecords' || refused === 6) return undefined;
      refused += 1;
      return refusal(names[refused % 3] ?? '', 'Signature expired: 20261125T101010Z is now earlier than 20261125T101510Z');
    };
    world.stream.write(5);
    await until(() => keys().length === 5);
    expect([refused, running.work.notReady(), running.sink('a').state]).to.deep.equal([6, [], 'brisk']);
    expect(lines('error')).to.deep.equal([]);
  });
});
