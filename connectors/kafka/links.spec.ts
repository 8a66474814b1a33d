/** The clients that write: one write each, few per leader, none that may have been forgotten, and none that goes on after an abort. */
import { expect } from 'chai';
import { StubKafka } from '../../test/fakes/stub-kafka.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import type { KafkaClient } from './client.ts';
import { Links } from './links.ts';

const never = new AbortController().signal;

function setUp() {
  const kafka = new StubKafka();
  const clock = virtualClock();
  const links = new Links({ clock, make: kafka.make, isSound: error => error instanceof RangeError });
  const open: (() => void)[] = [];
  /** A write that lasts until it is let go. */
  const hold = (leader: number, signal = never) => links.use(leader, () => new Promise<void>(resolve => open.push(resolve)), signal);
  return { kafka, clock, links, open, hold };
}

const turn = () => new Promise(resolve => setImmediate(resolve));
const rejected = (work: Promise<unknown>) =>
  work.then(
    () => 'resolved',
    (error: Error) => error.message,
  );

describe('kafka links', () => {
  it('gives a client to one write at a time, and the same one to the next', async () => {
    const { kafka, links, hold, open } = setUp();
    const first = hold(1);
    const second = hold(1);
    await turn();
    expect(kafka.clients).to.have.length(2);
    for (const let_go of open) let_go();
    await Promise.all([first, second]);
    await links.use(1, async () => {}, never);
    expect(kafka.clients).to.have.length(2);
  });

  it('lets at most four writes go to one leader; others wait in turn, and another leader is not held up', async () => {
    const { kafka, hold, open } = setUp();
    const order: number[] = [];
    const writes = [1, 2, 3, 4, 5, 6].map(n => hold(1).then(() => order.push(n)));
    const other = hold(2);
    await turn();
    expect(kafka.clients).to.have.length(5);
    while (open.length > 0) {
      open.shift()?.();
      await turn();
    }
    await Promise.all([...writes, other]);
    expect(order).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(kafka.clients).to.have.length(5);
  });

  it('K6: an abort settles at once and resets the connection, and only its own', async () => {
    const { kafka, hold, open } = setUp();
    const abort = new AbortController();
    const aborted = rejected(hold(1, abort.signal));
    const other = hold(1);
    await turn();
    abort.abort();
    expect(await aborted).to.equal('aborted');
    expect(kafka.clients.map(client => client.wasReset)).to.deep.equal([true, false]);
    open[1]?.();
    await other;
    expect(kafka.alive).to.equal(1);
  });

  it('an abort while waiting for a free client sends nothing and loses no place', async () => {
    const { kafka, hold, open } = setUp();
    const held = [hold(1), hold(1), hold(1), hold(1)];
    const abort = new AbortController();
    const waiting = rejected(hold(1, abort.signal));
    const last = hold(1);
    await turn();
    abort.abort();
    expect(await waiting).to.contain('aborted');
    while (open.length > 0) {
      open.shift()?.();
      await turn();
    }
    await Promise.all([...held, last]);
    expect(kafka.clients).to.have.length(4);
  });

  it('begins nothing under a signal that has aborted already', async () => {
    const { kafka, hold } = setUp();
    expect(await rejected(hold(1, AbortSignal.abort()))).to.contain('aborted');
    expect(kafka.alive).to.equal(0);
  });

  it('throws a client away that failed, and keeps one whose broker merely said no', async () => {
    const { kafka, links } = setUp();
    const fail = (error: Error) => rejected(links.use(1, () => Promise.reject(error), never));
    await fail(new RangeError('the broker said no'));
    await fail(new RangeError('again'));
    expect(kafka.clients).to.have.length(1);
    await fail(new Error('connection closed'));
    expect(kafka.alive).to.equal(0);
  });

  it('does not write to a connection that idled for 50 s, that has ended, or that is 10 minutes old', async () => {
    const { kafka, clock, links } = setUp();
    const write = () => links.use(1, async () => {}, never);
    await write();
    await clock.advance(49_000);
    await write();
    expect(kafka.clients).to.have.length(1);
    await clock.advance(50_000);
    await write();
    expect(kafka.clients).to.have.length(2);
    const last = kafka.clients[1];
    if (last) last.broken = true;
    await write();
    expect(kafka.clients).to.have.length(3);
    for (let i = 0; i < 15; i += 1) {
      await clock.advance(40_000);
      await write();
    }
    expect(kafka.clients).to.have.length(4);
    expect(kafka.alive).to.equal(1);
  });

  it('forgets the clients of a leader that is none any more, and no others', async () => {
    const { kafka, links } = setUp();
    for (const leader of [1, 2]) await links.use(leader, async () => {}, never);
    links.forget(1);
    expect(kafka.clients.map(({ isDestroyed }) => isDestroyed)).to.deep.equal([true, false]);
  });

  it('K6: closing ends writes that hang, and may be done twice', async () => {
    const { kafka, links, hold } = setUp();
    const writes = [hold(1), hold(1), hold(1), hold(1), hold(1)].map(rejected);
    await turn();
    links.close();
    links.close();
    expect(await Promise.all(writes)).to.deep.equal(Array.from({ length: 5 }, () => 'aborted'));
    expect(kafka.alive).to.equal(0);
  });

  it('a client that cannot connect is thrown away', async () => {
    const { kafka, links } = setUp();
    kafka.onConnect(() => new Error('refused'));
    const use = (client: KafkaClient) => client.producer.send({ topic: 't', messages: [] });
    expect(await rejected(links.use(1, use, never))).to.equal('refused');
    expect([kafka.alive, kafka.sends.length]).to.deep.equal([0, 0]);
  });
});
