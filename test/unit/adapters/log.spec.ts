import { expect } from 'chai';
import fc from 'fast-check';
import { type LogOptions, processLog } from '../../../src/adapters/log.ts';
import { virtualClock } from '../../fakes/virtual-clock.ts';

function capture(more: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const clock = virtualClock();
  const log = processLog({
    level: 'info',
    format: 'json',
    fields: { service: 'shop', worker: 'w1' },
    secrets: [],
    clock,
    colour: false,
    stream: { write: line => lines.push(line) },
    ...more,
  });
  return { log, clock, lines, records: () => lines.map(line => JSON.parse(line) as Record<string, unknown>) };
}

describe('log', () => {
  it('writes the fields that alerts rely on', () => {
    const { log, records } = capture();
    log.child({ pipeline: 'orders', table: 't' }).info({ sink: 'eu', shardId: 's', sequenceNumber: '1', eventID: 'e' }, 'written');
    const [record] = records();
    expect(record).to.include({
      level: 'info',
      msg: 'written',
      service: 'shop',
      worker: 'w1',
      pipeline: 'orders',
      table: 't',
      sink: 'eu',
      shardId: 's',
      sequenceNumber: '1',
      eventID: 'e',
    });
    expect(record?.['time']).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(record).to.not.have.any.keys('pid', 'hostname');
  });

  it('says a field once, though parents have bound it already', () => {
    const { log, lines } = capture();
    const orders = log.child({ pipeline: 'orders', table: 't' });
    orders.child({ table: 't' }).error({ table: 't', sinks: ['eu'] }, 'lost');
    orders.info({ table: 'other' }, 'another table');
    expect(lines[0]?.match(/"table"/g)).to.have.length(1);
    expect(JSON.parse(lines[1] ?? '')).to.include({ table: 'other' });
  });

  it('keeps to its level', () => {
    const { log, records } = capture({ level: 'warn' });
    log.debug({}, 'd');
    log.info({}, 'i');
    log.child({ a: 1 }).info({}, 'i');
    log.warn({}, 'w');
    log.error({}, 'e');
    log.fatal({}, 'f');
    expect(records().map(record => record['level'])).to.deep.equal(['warn', 'error', 'fatal']);
  });

  it('tells errors with their causes', () => {
    const { log, records } = capture();
    log.error({ error: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(JSON.stringify(records()[0])).to.include('outer').and.to.include('inner');
  });

  it('speaks ecs, and to a person', () => {
    const ecs = capture({ format: 'ecs' });
    ecs.log.warn({ sink: 'eu' }, 'slow');
    expect(ecs.records()[0]).to.include({ 'log.level': 'warn', message: 'slow', sink: 'eu', 'service.name': 'shop' });
    const pretty = capture({ format: 'pretty' });
    pretty.log.warn({ sink: 'eu' }, 'slow');
    expect(pretty.lines.join(''))
      .to.match(/WARN.*slow/)
      .and.include('eu')
      .and.not.include('\u001b[');
  });

  describe('secrets', () => {
    it('never stand in a line, however they got there', () => {
      fc.assert(
        fc.property(fc.string({ minLength: 8, unit: 'grapheme' }), fc.constantFrom('json' as const, 'ecs' as const), (secret, format) => {
          const { log, lines } = capture({ secrets: [secret], format });
          log.info({ error: new Error(`refused ${secret}`), deep: { in: { here: [secret] } } }, `with ${secret}`);
          log.child({ at: secret }).warn({ [`key ${secret}`]: 1 }, 'x');
          const text = lines.join('');
          // What is said beside the secret may hold the same characters only if the secret is a part of it.
          const plain = capture({ format });
          plain.log.info({ error: new Error('refused '), deep: { in: { here: [''] } } }, 'with ');
          fc.pre(!plain.lines.join('').includes(secret));
          expect(text).to.not.include(secret);
          expect(text).to.not.include(JSON.stringify(secret).slice(1, -1));
        }),
        { numRuns: 200 },
      );
    });

    it('are known by the names of their fields', () => {
      const { log, lines } = capture();
      log.info(
        { password: 'hunter2', sasl: { password: 'hunter2' }, a: { b: { token: 'hunter2' } }, headers: { authorization: 'hunter2' } },
        'x',
      );
      expect(lines.join('')).to.include('[redacted]').and.not.include('hunter2');
    });
  });

  describe('lines that repeat themselves', () => {
    it('are a few a minute, and what was held back is told', async () => {
      const { log, clock, records } = capture();
      const sink = log.child({ pipeline: 'orders', sink: 'eu' });
      for (let i = 0; i < 90 * 200; i += 1) {
        sink.error({ shardId: `shard-${i % 7}` }, `denied, request 4f3a9c1d${i}`);
        await clock.advance(5);
      }
      await clock.advance(60_000);
      const told = records();
      expect(told).to.have.length.below(16);
      const heldBack = told.map(record => Number(record['heldBack'] ?? 0)).reduce((a, b) => a + b);
      expect(heldBack + told.filter(record => record['heldBack'] === undefined).length).to.equal(18_000);
      expect(told.find(record => record['heldBack'])).to.include({ pipeline: 'orders', sink: 'eu', level: 'error' });
    });

    it('of other sinks, levels and words are not held back with them', () => {
      const { log, records } = capture();
      for (let i = 0; i < 100; i += 1) log.child({ sink: 'a' }).warn({}, 'throttled');
      log.child({ sink: 'b' }).warn({}, 'throttled');
      log.child({ sink: 'a' }).error({}, 'throttled');
      log.child({ sink: 'a' }).warn({}, 'reset');
      for (let i = 0; i < 100; i += 1) log.info({}, 'progress');
      expect(records()).to.have.length(5 + 3 + 100);
    });

    it('do not fill memory with their kinds', async () => {
      const { log, clock, lines } = capture();
      for (let i = 0; i < 5_000; i += 1) log.child({ sink: `s${'x'.repeat(i % 50)}${i}` }).warn({}, 'x');
      await clock.advance(60_000);
      expect(lines).to.have.length(5_000);
      expect(clock.pending).to.equal(0);
    });
  });
});
