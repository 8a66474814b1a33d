/** Bad settings in, the message out: place, setting, what is wrong and what is allowed. */
import { expect } from 'chai';
import { sinkSchema } from '../../../src/settings/delivery-schema.ts';
import { mistakes, type Workshop, workshop, yaml } from './workshop.ts';

const NOT_BUILT: readonly (readonly [where: 'source' | 'sink', text: string, answer: string])[] = [
  ['sink', 'onFailure: { type: sqs, queueUrl: x }', 'onFailure: not built yet: a refused record halts its sink, position kept'],
  ['sink', 'rejectBudget: { rejects: 1, of: 2 }', 'rejectBudget: not built yet: the first refused record halts its sink'],
  ['sink', 'parkKeys: true', 'parkKeys: not built yet'],
  ['sink', 'filterCriteria: { filters: [] }', 'filterCriteria: not built yet'],
  ['sink', 'onFilterExit: delete', 'onFilterExit: not built yet'],
  ['sink', 'transform: []', 'transform: not built yet'],
  ['sink', 'deduplicate: { table: t }', 'deduplicate: not built yet'],
  ['sink', 'functionResponseTypes: [ReportBatchItemFailures]', 'functionResponseTypes: not built yet'],
  ['sink', 'onExhausted: drop', 'onExhausted: expected halt; drop is not built yet'],
  ['source', 'snapshot: initial', 'snapshot: expected none; initial is not built yet'],
  ['source', 'onGap: snapshot', 'onGap: expected continue or halt; snapshot is not built yet'],
];

const REFUSED: readonly (readonly [text: string, answer: string])[] = [
  ['tumblingWindowInSeconds: 5', "tumblingWindowInSeconds: not an option here: aggregates over changes are the view connector's work"],
  ['destinationConfig: {}', 'destinationConfig: not an option here: its name is onFailure, which is not built yet'],
];

/** What every sink takes beside its connector's own options. */
const HOUSE = Object.keys(sinkSchema.shape).join(', ');

describe('mistakes in settings', () => {
  let shop: Workshop;
  before(() => {
    shop = workshop();
  });
  after(() => shop.remove());

  const ofSink = (sink: string) => mistakes(shop.file('a.yaml', yaml({ sink })));
  const ofTop = (top: string) => mistakes(shop.file('a.yaml', yaml({ top })));

  for (const [where, text, answer] of NOT_BUILT) {
    it(`says that it is not built yet: ${text}`, async () => {
      const [line, column] = where === 'sink' ? [12, 9] : [7, 7];
      const at = where === 'sink' ? 'pipelines.orders.sinks.eu' : 'pipelines.orders.source';
      const value = answer.includes('expected') ? text.indexOf(':') + 2 : 0;
      expect(await mistakes(shop.file('a.yaml', yaml({ [where]: text })))).to.deep.equal([
        `a.yaml:${line}:${column + value} ${at}.${answer}`,
      ]);
    });
  }

  it('says so of a list of tables, once', async () => {
    const text = yaml().replace('table: orders', 'tables: [orders, customers]');
    expect(await mistakes(shop.file('a.yaml', text))).to.deep.equal([
      'a.yaml:6:7 pipelines.orders.source.tables: not built yet: one pipeline per table, named by table',
    ]);
  });

  it('says so of process settings, by file and by environment', async () => {
    expect(await ofTop('leases: { mode: kcl-takeover }\nlimits: { processes: 0, weight: 0 }')).to.deep.equal([
      "a.yaml:2:17 leases.mode: kcl-takeover needs state.leaseTable: the lease table of the Java application, which has the application's name",
      'a.yaml:3:22 limits.processes: expected auto, or a whole number from 1 to 256',
      'a.yaml:3:33 limits.weight: expected a whole number from 1 to 1000',
    ]);
    expect(await ofTop('leases: { mode: kcl-takeover }\nstate: { leaseTable: java-app }')).to.deep.equal([]);
    expect(await ofTop('leases: { mode: kcl-mixed-2x }')).to.deep.equal(['a.yaml:2:17 leases.mode: expected one of native, kcl-takeover']);
    expect(await mistakes(shop.file('a.yaml', yaml()), { env: { TIDEMARK_LIMITS_PROCESSES: 'many' } })).to.deep.equal([
      'TIDEMARK_LIMITS_PROCESSES limits.processes: expected auto, or a whole number from 1 to 256',
    ]);
  });

  for (const [text, answer] of REFUSED) {
    it(`points elsewhere: ${text}`, async () => {
      expect(await ofSink(text)).to.deep.equal([`a.yaml:12:9 pipelines.orders.sinks.eu.${answer}`]);
    });
  }

  it('reports everything at once, in the order of the file', async () => {
    const text = `name: 12345678901
colour: red
admin: { port: 99999 }
pipelines:
  - name: orders
    source: { startingPosition: latest, pollMs: 3 }
    sinks:
      - { name: a, type: fake-sink, target: true, size: "9", batchSize: 0 }
      - { name: a, type: nope }
      - { type: also-nope, name: c }
`;
    expect((await mistakes(shop.file('a.yaml', text))).map(line => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'a.yaml:1:7 name:',
      'a.yaml:2:1 colour:',
      'a.yaml:3:16 admin.port:',
      'a.yaml:6:13 pipelines.orders.source.table:',
      'a.yaml:6:33 pipelines.orders.source.startingPosition:',
      'a.yaml:6:41 pipelines.orders.source.pollMs:',
      'a.yaml:8:45 pipelines.orders.sinks.a.target:',
      'a.yaml:8:57 pipelines.orders.sinks.a.size:',
      'a.yaml:8:73 pipelines.orders.sinks.a.batchSize:',
      'a.yaml:9:17 pipelines.orders.sinks.a.name:',
      'a.yaml:9:26 pipelines.orders.sinks.a.type:',
      'a.yaml:10:17 pipelines.orders.sinks.c.type:',
    ]);
  });

  it('asks for quotes where text is due', async () => {
    const text = yaml({ name: '012345678901', sink: 'password: true\nbrokers: [a, 9092, 2026-01-01]' });
    expect(await mistakes(shop.file('a.yaml', text))).to.deep.equal([
      'a.yaml:1:7 name: expected text, but this is a number: quote it',
      'a.yaml:12:19 pipelines.orders.sinks.eu.password: expected text, but this is a boolean: quote it',
      'a.yaml:13:22 pipelines.orders.sinks.eu.brokers.1: expected text, but this is a number: quote it',
      'a.yaml:13:28 pipelines.orders.sinks.eu.brokers.2: a date without quotes; no setting takes a date: quote it to make it text',
    ]);
  });

  it('lists what is allowed', async () => {
    expect(await ofSink('mode: warp\nspeed: 9')).to.deep.equal([
      'a.yaml:12:15 pipelines.orders.sinks.eu.mode: expected one of fast, slow',
      `a.yaml:13:9 pipelines.orders.sinks.eu.speed: unknown setting; allowed: target, size, loud, mode, password, brokers, tags, login, picky, ${HOUSE}`,
    ]);
    expect(await ofSink('login: { by: name, user: u, pas: p }')).to.deep.equal([
      'a.yaml:12:16 pipelines.orders.sinks.eu.login.pass: is missing: expected text',
      'a.yaml:12:37 pipelines.orders.sinks.eu.login.pas: unknown setting; allowed: by, user, pass',
    ]);
    expect(await ofSink('login: { by: smell }')).to.deep.equal([
      "a.yaml:12:22 pipelines.orders.sinks.eu.login.by: expected one of 'name', 'role'",
    ]);
    expect(await ofTop('log: 5\nstate: { endpoint: "localhost:8000" }')).to.deep.equal([
      'a.yaml:2:6 log: expected a map with level, format',
      'a.yaml:3:20 state.endpoint: expected an address as http://host:port or https://host',
    ]);
  });

  it('refuses keys that would reach a prototype', async () => {
    expect(await ofSink('__proto__: { polluted: 1 }\nconstructor: 1')).to.have.length(2);
    expect(await ofTop('__proto__: { polluted: 1 }')).to.have.length(1);
    expect(await mistakes(shop.file('a.json', '{"name": "x", "__proto__": {"admin": 1}, "pipelines": []}'))).to.have.length(2);
    expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
  });

  it('says what is missing', async () => {
    expect(await mistakes(shop.file('a.yaml', ''))).to.deep.equal([
      'a.yaml:1:1 name: is missing: expected text',
      'a.yaml:1:1 pipelines: is missing: expected a list with at least one pipeline',
    ]);
    expect(await mistakes(shop.file('a.yaml', 'name: a\npipelines: [{}, { name: x, source:, sinks: [] }]'))).to.deep.equal([
      'a.yaml:2:13 pipelines.0.name: is missing: expected text',
      'a.yaml:2:13 pipelines.0.sinks: is missing: expected a list',
      'a.yaml:2:13 pipelines.0.source: is missing: expected a map with table',
      'a.yaml:2:35 pipelines.x.source: is empty: expected a map',
      'a.yaml:2:44 pipelines.x.sinks: expected a list with at least one sink',
    ]);
  });

  describe('files', () => {
    it('that cannot be read', async () => {
      expect(await mistakes(`${shop.folder}/none.yaml`)).to.deep.equal(['none.yaml:1:1: there is no such file']);
      expect(await mistakes(shop.file('a.toml', 'x = 1'))).to.deep.equal([
        'a.toml:1:1: expected a file named .yaml, .yml, .json or .json5, or - for standard input',
      ]);
      expect(await mistakes(shop.file('a.yaml', '- 1'))).to.deep.equal(['a.yaml:1:1: expected a map of settings']);
    });

    it('with wrong syntax, without a word of their text', async () => {
      const bad: [string, string][] = [
        ['a.yaml', 'name: a\nadmin:\n\ttoken: hunter2'],
        ['a.yaml', 'admin: { token: hunter2'],
        ['a.yaml', 'token: "hunter2\\q"'],
        ['a.yaml', 'a: hunter2: x'],
        ['a.yaml', 'hunter2: 1\nhunter2: 2'],
        ['a.yaml', 'a: *hunter2'],
        ['a.yaml', 'a: !hunter2 x'],
        ['a.yaml', "a: 'hunter2"],
        ['a.yaml', '{ token: ${env:hunter2} }'],
        ['a.json', '{"token": "hunter2}'],
        ['a.json', '{"token": hunter2}'],
        ['a.json5', '{hunter2: 1, hunter2: 2}'],
      ];
      for (const [name, text] of bad) {
        const lines = await mistakes(shop.file(name, text));
        expect(lines, text).to.not.be.empty;
        for (const line of lines)
          expect(line, text)
            .to.match(/^a\.\w+:\d+:\d+: \S/)
            .and.not.include('hunter2');
      }
    });
  });

  describe('what entries must not be to each other', () => {
    it('two sinks or pipelines of one name', async () => {
      const twice = yaml({ source: '', sink: '' }).replace(
        /pipelines:\n([\s\S]*)$/,
        (_, p: string) => `pipelines:\n${p}${p.replace('table: orders', 'table: others')}`,
      );
      const lines = await mistakes(shop.file('a.yaml', twice));
      expect(lines).to.deep.equal(['a.yaml:13:11 pipelines.orders.name: this name is taken by an entry before']);
    });

    it('a former name that somebody has, or that two claim', async () => {
      const sinks = `sinks:
      - { name: a, type: fake-sink, target: t, renamedFrom: b }
      - { name: b, type: fake-sink, target: t, renamedFrom: c }
      - { name: d, type: fake-sink, target: t, renamedFrom: c }
      - { name: e, type: fake-sink, target: t, renamedFrom: e }`;
      const text = `name: x\npipelines:\n  - name: p\n    source: { table: ttt }\n    ${sinks}\n`;
      expect(await mistakes(shop.file('a.yaml', text))).to.deep.equal([
        'a.yaml:6:61 pipelines.p.sinks.a.renamedFrom: a sink of that name is still here; expected a name that no sink has now',
        'a.yaml:8:61 pipelines.p.sinks.d.renamedFrom: another sink was renamed from that one already',
        'a.yaml:9:61 pipelines.p.sinks.e.renamedFrom: a sink of that name is still here; expected a name that no sink has now',
      ]);
    });

    it('two pipelines on one table, however its address is spelled', async () => {
      const source = (more: string) => `source: { table: orders${more} }\n    sinks: [{ name: s, type: fake-sink, target: t }]`;
      const two = (a: string, b: string) => `name: x\npipelines:\n  - name: p\n    ${source(a)}\n  - name: q\n    ${source(b)}\n`;
      const lines = (a: string, b: string, env = {}) => mistakes(shop.file('a.yaml', two(a, b)), { env });
      const refusal = ['a.yaml:7:22 pipelines.q.source.table: another pipeline reads this table; put the sinks into one pipeline'];
      expect(await lines('', '')).to.deep.equal(refusal);
      expect(await lines(', region: eu-west-1', '')).to.deep.equal([]);
      expect(await lines(', region: eu-west-1', '', { AWS_REGION: 'eu-west-1' })).to.deep.equal(refusal);
      expect(await lines(', endpoint: "http://localhost:8000"', ', endpoint: "http://127.0.0.1:8000/"')).to.deep.equal(refusal);
      expect(await lines(', roleArn: "arn:aws:iam::111111111111:role/a"', ', roleArn: "arn:aws:iam::222222222222:role/a"')).to.deep.equal(
        [],
      );
    });

    it('more than one batch at a time, or an age, where a shard is written in order', async () => {
      expect(await ofSink('mode: slow\nparallelizationFactor: 2\nmaximumRecordAgeInSeconds: 60')).to.deep.equal([
        'a.yaml:13:32 pipelines.orders.sinks.eu.parallelizationFactor: expected 1: fake-sink writes a shard in order, one batch at a time',
        'a.yaml:14:36 pipelines.orders.sinks.eu.maximumRecordAgeInSeconds: expected -1: what fake-sink writes must not depend on when it is written',
      ]);
      expect(await ofSink('mode: slow\nparallelizationFactor: 1')).to.deep.equal([]);
      expect(await ofSink('parallelizationFactor: 2\nmaximumRecordAgeInSeconds: 60')).to.deep.equal([]);
    });

    it('a window larger than memory or smaller than its batches', async () => {
      const text = yaml({ top: 'limits: { memoryMiB: 1 }', sink: 'windowBytes: 1048577' });
      expect(await mistakes(shop.file('a.yaml', text))).to.deep.equal([
        'a.yaml:12:22 pipelines.orders.sinks.eu.windowBytes: more than limits.memoryMiB holds; expected at most 1048576',
      ]);
      expect(await ofSink('windowBytes: 10\nbatchBytes: 11')).to.deep.equal([
        'a.yaml:12:22 pipelines.orders.sinks.eu.windowBytes: expected at least batchBytes, or a batch could never fill',
      ]);
    });

    it('a lease that a late renewal loses; half of a pair of credentials; one table for two', async () => {
      const top = 'leases: { durationSeconds: 5 }\nstate: { leaseTable: one, controlTable: one, credentials: { accessKeyId: a } }';
      expect(await ofTop(top)).to.deep.equal([
        'a.yaml:2:9 leases.renewSeconds: at most half of durationSeconds, or a late renewal loses the lease',
        'a.yaml:3:41 state.controlTable: must be another table than leaseTable',
        'a.yaml:3:59 state.credentials: accessKeyId and secretAccessKey go together',
      ]);
    });

    it('an idle wait that is shorter than the wait', async () => {
      expect(await mistakes(shop.file('a.yaml', yaml({ source: 'pollMilliseconds: 500\nidleMilliseconds: 400' })))).to.deep.equal([
        'a.yaml:8:25 pipelines.orders.source.idleMilliseconds: expected at least pollMilliseconds',
      ]);
    });
  });
});
