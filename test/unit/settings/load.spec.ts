import { expect } from 'chai';
import { loaded, mistakes, type Workshop, workshop, yaml } from './workshop.ts';

describe('loadSettings', () => {
  let shop: Workshop;
  before(() => {
    shop = workshop();
  });
  after(() => shop.remove());

  it('fills every default in', async () => {
    const { settings } = await loaded(shop.file('a.yaml', yaml()));
    expect(settings).to.deep.include({
      name: 'shop',
      state: { leaseTable: 'shop-leases', controlTable: 'shop-control', createTables: true },
      leases: { mode: 'native', durationSeconds: 10, renewSeconds: 3 },
      admin: { host: '127.0.0.1', port: 9464 },
      log: { level: 'info', format: 'json' },
      limits: { memoryMiB: 256, drainSeconds: 20, processes: 1, weight: 1 },
    });
    const { source, sinks } = settings.pipelines[0] ?? {};
    expect(source).to.deep.equal({
      table: 'orders',
      startingPosition: 'TRIM_HORIZON',
      pollMilliseconds: 250,
      idleMilliseconds: 250,
      enableStream: false,
      onGap: 'continue',
    });
    expect(sinks?.[0]).to.deep.include({ name: 'eu', type: 'fake-sink', enabled: true });
    expect(sinks?.[0]?.options).to.deep.equal({ target: 'there', size: 5, loud: false, mode: 'fast' });
    expect(sinks?.[0]?.delivery).to.include({
      maximumBackoffSeconds: 10,
      maximumRetryAttempts: -1,
      maximumRecordAgeInSeconds: -1,
      bisectBatchOnFunctionError: true,
    });
  });

  it('freezes the result to its depths, but not the connector', async () => {
    const { settings } = await loaded(shop.file('a.yaml', yaml({ sink: 'tags: {a: b}' })));
    const sink = settings.pipelines[0]?.sinks[0];
    expect(() => Object.assign(settings.admin, { port: 1 })).to.throw(TypeError);
    const options = sink?.options as { readonly tags: object };
    expect(() => Object.assign(options, { target: 'x' })).to.throw(TypeError);
    expect(() => Object.assign(options.tags, { a: 'x' })).to.throw(TypeError);
    expect(() => (settings.pipelines as unknown[]).push(1)).to.throw(TypeError);
    expect(Object.isFrozen(sink?.connector)).to.equal(false);
  });

  it('reads the same from YAML, JSON and JSON5, whatever the case of the ending', async () => {
    const plain = {
      name: 'shop',
      pipelines: [{ name: 'orders', source: { table: 'orders' }, sinks: [{ name: 'eu', type: 'fake-sink', target: 'there' }] }],
    };
    const json5 = `// a comment\n{name: 'shop', pipelines: [{name: "orders", source: {table: 'orders'}, sinks: [{name: 'eu', type: 'fake-sink', target: 'there',},],}]}`;
    const files = [
      shop.file('a.yaml', yaml()),
      shop.file('a.YML', yaml()),
      shop.file('a.json', JSON.stringify(plain)),
      shop.file('a.JSON5', json5),
    ];
    const all = await Promise.all(files.map(file => loaded(file)));
    for (const { shown } of all) expect(shown).to.deep.equal(all[0]?.shown);
  });

  it('lays later files over earlier ones: maps key by key, lists whole', async () => {
    const base = shop.file('base.yaml', yaml({ top: 'limits: { memoryMiB: 64, drainSeconds: 5 }\nlog: { level: debug }' }));
    const over = shop.file('over.json', '{"limits": {"memoryMiB": 128}, "admin": {"port": 0}}');
    const { settings } = await loaded([base, over]);
    expect(settings.limits).to.include({ memoryMiB: 128, drainSeconds: 5 });
    expect(settings.log.level).to.equal('debug');
    expect(settings.admin.port).to.equal(0);
    const other = shop.file(
      'other.yaml',
      'pipelines: [{ name: b, source: { table: bbb }, sinks: [{ name: s, type: fake-sink, target: t }] }]',
    );
    expect((await loaded([base, other])).settings.pipelines.map(p => p.name)).to.deep.equal(['b']);
  });

  it('says of an overlaid value the file that it stands in', async () => {
    const base = shop.file('base.yaml', yaml({ top: 'limits: { memoryMiB: 64 }' }));
    const over = shop.file('over.yaml', 'log: { level: loud }\nlimits:\n  memoryMiB: none\n');
    expect(await mistakes([base, over])).to.deep.equal([
      'over.yaml:1:15 log.level: expected one of debug, info, warn, error, silent',
      'over.yaml:3:14 limits.memoryMiB: expected a whole number from 1 to 1048576',
    ]);
  });

  it('understands anchors and merge keys', async () => {
    const text = `name: shop
pipelines:
  - name: orders
    source: &src { table: orders, pollMilliseconds: 500 }
    sinks:
      - &sink { name: eu, type: fake-sink, target: there }
      - { <<: *sink, name: us }
  - name: customers
    source: { <<: *src, table: customers }
    sinks: [*sink]
`;
    const { settings } = await loaded(shop.file('a.yaml', text));
    expect(settings.pipelines[0]?.sinks.map(s => s.name)).to.deep.equal(['eu', 'us']);
    expect(settings.pipelines[1]?.source).to.include({ table: 'customers', pollMilliseconds: 500 });
  });

  it('warns when a window or batch is more than the sink’s share of memory', async () => {
    const { warnings } = await loaded(shop.file('a.yaml', yaml({ top: 'limits: { memoryMiB: 4 }', sink: 'windowBytes: 2000000' })));
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.match(/^sink eu: windowBytes is more than its share of limits.memoryMiB, 1572864 bytes/);
  });
});
