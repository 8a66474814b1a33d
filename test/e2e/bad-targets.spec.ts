/** Targets that are not there, not allowed, or all away: what the daemon says of them, what the others do meanwhile, and how it heals. */
import { expect } from 'chai';
import { makeTargets } from '../run/world-targets.ts';
import { type Gate, jsonRefusal, startGate, xmlRefusal } from './gate.ts';
import { amount } from './numbers.ts';
import { closeShops, openShop, type Shop } from './shop.ts';
import { stage } from './stage.ts';
import { makeTable } from './tables.ts';
import { expectComplete, verdictsOf } from './verdicts.ts';
import { awaited, idle, sinkOf, sinksOf, sleep, until } from './waiting.ts';

const AWAY_SECONDS = amount('AWAY_SECONDS', 10);
const LONG = amount('LONG', 0) > 0;
const SINKS = ['eu', 'changes', 'events', 'archive'] as const;

const readiness = async (shop: Shop): Promise<number> => (await fetch(`${shop.places.admin}/readyz`)).status;

function resume(shop: Shop, sink: string): Promise<Response> {
  const token = shop.secrets.at(-1);
  return fetch(`${shop.places.admin}/pipelines/orders/sinks/${sink}/resume`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
}

describe('bad targets', function () {
  this.timeout(180_000 + AWAY_SECONDS * 2000);
  let gate: Gate | undefined;
  afterEach(async () => {
    await closeShops();
    await gate?.stop();
    gate = undefined;
  });

  it('none of the targets is there: each sink halts and names it, the daemon is ready; made later, each goes on', async () => {
    const shop = await openShop({ make: ({ source }) => makeTable(source, { stream: 'NEW_AND_OLD_IMAGES' }) });
    const { replica, kinesis, kafka, s3 } = shop.places;
    const daemon = await shop.open();
    const writer = shop.writer();
    await writer.write(100, { perSecond: 1000, signal: AbortSignal.timeout(20_000) });
    await awaited(daemon, 'all sinks halt', sinks => sinks.every(({ state, reason }) => state === 'halted' && reason !== 'not open yet'));
    const names = { eu: replica.table, changes: kinesis.stream, events: kafka.topic, archive: s3.bucket };
    for (const { name, reason, written } of await sinksOf(daemon)) {
      console.log(`        ${name}: ${reason}`);
      expect(reason).include(names[name as keyof typeof names]);
      expect(written).equal(0);
    }
    expect(await readiness(shop)).equal(200);
    const { source: _source, ...others } = shop.places;
    await makeTargets({ ...others, source: { ...shop.places.source, table: 'another' } });
    for (const sink of SINKS) expect((await resume(shop, sink)).status).equal(200);
    await idle(daemon);
    const kafkaWatch = await shop.watch();
    expectComplete(await verdictsOf(shop, writer.history, kafkaWatch));
  });

  it(`all targets are away for ${AWAY_SECONDS} s: ready all the same, nothing false is said, few lines are logged, and no secret`, async () => {
    const { lines } = await stage();
    const shop = await openShop({ limits: { drainSeconds: 2 } });
    const daemon = await shop.open();
    const writer = shop.writer();
    await writer.write(50, { perSecond: 500, signal: AbortSignal.timeout(20_000) });
    await idle(daemon);
    const targets = [lines.replica, lines.kinesis, lines.kafka, lines.s3];
    await Promise.all(targets.map(line => line.mode('refuse')));
    await writer.write(200, { perSecond: 1000, signal: AbortSignal.timeout(20_000) });
    await awaited(daemon, 'all sinks have open work', sinks => sinks.every(({ open }) => (open ?? 0) > 0));
    const before = await sinksOf(daemon);
    const linesBefore = daemon.log().split('\n').length;
    await sleep(AWAY_SECONDS * 1000);
    const logged = daemon.log().split('\n').slice(linesBefore);
    const after = await sinksOf(daemon);
    console.log(`        ${logged.length} lines in ${AWAY_SECONDS} s for four sinks`);
    expect(logged.length).below(4 * 6);
    expect(await readiness(shop)).equal(200);
    for (const [i, { name, written, open, read, lagSeconds, coalesced }] of after.entries()) {
      expect([name, written]).eql([name, 50 - (coalesced ?? 0)]);
      expect(read).equal(50 + (open ?? 0));
      const grown = (lagSeconds ?? 0) - (before[i]?.lagSeconds ?? 0);
      expect(grown, `lag of ${name}`).within(AWAY_SECONDS * 0.8, AWAY_SECONDS * 1.2 + 1);
    }
    await Promise.all(targets.map(line => line.mode('pass')));
    await idle(daemon);
    expect(shop.secrets.filter(secret => daemon.log().includes(secret))).eql([]);
  });

  it('a target that denies: the sink halts with action and resource and few lines, the others go on; a grant heals it', async () => {
    const { dynamodb } = await stage();
    gate = await startGate(dynamodb);
    const shop = await openShop({ sinks: ['eu', 'changes'], more: { eu: { endpoint: gate.endpoint } } });
    const daemon = await shop.open();
    const denied = jsonRefusal('AccessDeniedException', 'User: arn:aws:iam::1:user/x is not authorized');
    gate.judge = operation => (/Item|Statement|Transact/.test(operation) ? denied : undefined);
    const writer = shop.writer();
    await writer.write(500, { perSecond: 250, signal: AbortSignal.timeout(20_000) });
    await until('the others have all', async () => (await sinkOf(daemon, 'changes'))?.written === 500);
    const eu = await sinkOf(daemon, 'eu');
    console.log(`        ${eu?.state}: ${eu?.reason}`);
    expect(eu?.state).equal('halted');
    expect(eu?.reason)
      .match(/dynamodb:\w+/)
      .and.include(shop.places.replica.table);
    const linesNow = daemon
      .log()
      .split('\n')
      .filter(line => line.includes('"sink":"eu"')).length;
    expect(linesNow).below(8);
    gate.judge = () => undefined;
    // By itself it looks again each minute.
    if (!LONG) await resume(shop, 'eu');
    await idle(daemon, 90_000);
    expect((await sinkOf(daemon, 'eu'))?.open).equal(0);
  });

  it('an archive that denies names its action and bucket', async () => {
    const { s3 } = await stage();
    gate = await startGate(s3);
    gate.judge = () => xmlRefusal('AccessDenied', 'Access Denied');
    const shop = await openShop({ sinks: ['archive'], more: { archive: { endpoint: gate.endpoint } } });
    const daemon = await shop.open();
    await until('the sink halts', async () => {
      const { state, reason } = (await sinkOf(daemon, 'archive')) ?? {};
      return state === 'halted' && reason?.includes('s3:PutObject') && reason.includes(shop.places.s3.bucket);
    });
  });

  it('a Kinesis stream that denies names its action and stream; the others go on', async () => {
    const { kinesis } = await stage();
    gate = await startGate(kinesis);
    gate.judge = operation => (operation === 'PutRecords' ? jsonRefusal('AccessDeniedException', 'User is not authorized.') : undefined);
    const shop = await openShop({ sinks: ['eu', 'changes'], more: { changes: { endpoint: gate.endpoint } } });
    const daemon = await shop.open();
    const writer = shop.writer();
    await writer.write(20, { perSecond: 200, signal: AbortSignal.timeout(20_000) });
    await until('the sink halts', async () => (await sinkOf(daemon, 'changes'))?.state === 'halted');
    const changes = await sinkOf(daemon, 'changes');
    console.log(`        ${changes?.reason}`);
    expect(changes?.reason)
      .match(/kinesis:PutRecords/)
      .and.include(shop.places.kinesis.stream)
      .and.not.include('..');
    await until('the others have all', async () => (await sinkOf(daemon, 'eu'))?.open === 0);
  });

  it('expired credentials and signatures are no halt: the writes go on by themselves', async () => {
    const { dynamodb } = await stage();
    gate = await startGate(dynamodb);
    const shop = await openShop({ sinks: ['eu'], more: { eu: { endpoint: gate.endpoint } } });
    const daemon = await shop.open();
    const answers = [
      jsonRefusal('ExpiredTokenException', 'The security token included in the request is expired'),
      jsonRefusal('RequestExpired', 'Request has expired'),
      jsonRefusal('InvalidSignatureException', 'Signature expired: 20261125T101010Z is now earlier than 20261125T101510Z'),
    ];
    let refused = 0;
    const end = performance.now() + 4000;
    gate.judge = operation =>
      /Item|Statement|Transact/.test(operation) && performance.now() < end ? answers[refused++ % answers.length] : undefined;
    const writer = shop.writer();
    await writer.write(100, { perSecond: 100, signal: AbortSignal.timeout(20_000) });
    const states = new Set<string | null | undefined>();
    while (performance.now() < end) {
      states.add((await sinkOf(daemon, 'eu'))?.state);
      await sleep(200);
    }
    await idle(daemon);
    console.log(`        ${refused} requests refused; states meanwhile: ${[...states].join(', ')}`);
    expect(refused).above(2);
    expect(states.has('halted')).equal(false);
  });
});
