/** What convict does by itself and must not do here; each was found by running it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { processOptions } from '../../../src/settings/process-schema.ts';
import { loaded, mistakes, type Workshop, workshop, yaml } from './workshop.ts';

describe('convict traps', () => {
  let shop: Workshop;
  let file: string;
  before(() => {
    shop = workshop();
    file = shop.file('a.yaml', yaml());
  });
  after(() => shop.remove());

  const createTables = async (value: string) =>
    (await loaded(file, { env: { TIDEMARK_STATE_CREATE_TABLES: value } })).settings.state.createTables;

  it('only "false" is false: FALSE, no, off and 0 are too', async () => {
    for (const value of ['false', 'FALSE', 'False', '0', 'no', 'NO', 'off']) expect(await createTables(value), value).to.equal(false);
    for (const value of ['true', 'TRUE', '1', 'yes', 'on', 'On']) expect(await createTables(value), value).to.equal(true);
  });

  it('an empty variable counts as set: here it is absent', async () => {
    expect(await createTables('')).to.equal(true);
    const env = { TIDEMARK_ADMIN_PORT: '', TIDEMARK_ADMIN_TOKEN: '', TIDEMARK_LOG_LEVEL: '' };
    expect((await loaded(file, { env })).settings.admin).to.deep.equal({ host: '127.0.0.1', port: 9464 });
  });

  it('anything else is true: here it is a mistake', async () => {
    expect(await mistakes(file, { env: { TIDEMARK_STATE_CREATE_TABLES: 'nope' } })).to.deep.equal([
      'TIDEMARK_STATE_CREATE_TABLES state.createTables: expected true, 1, yes, on, false, 0, no, off',
    ]);
  });

  it('parseInt takes 12abc for 12 and 1e3 for 1: here both are mistakes', async () => {
    for (const value of ['12abc', '1e3', '0x10', '1.5', '-1', '65536', 'Infinity', ' 1', '']) {
      const lines = await mistakes(file, { env: { TIDEMARK_ADMIN_PORT: value } });
      const expected = value === '' ? [] : ['TIDEMARK_ADMIN_PORT admin.port: expected a whole number from 0 to 65535'];
      expect(lines, value).to.deep.equal(expected);
    }
    for (const value of ['1e3', '12abc', '1.', 'NaN', '-1']) {
      const lines = await mistakes(file, { env: { TIDEMARK_LIMITS_DRAIN_SECONDS: value } });
      expect(lines, value).to.deep.equal(['TIDEMARK_LIMITS_DRAIN_SECONDS limits.drainSeconds: expected a number from 0 to 3600']);
    }
    expect((await loaded(file, { env: { TIDEMARK_LIMITS_DRAIN_SECONDS: '2.5' } })).settings.limits.drainSeconds).to.equal(2.5);
  });

  it('it reads the arguments of the process by itself', async () => {
    const before = process.argv;
    process.argv = [...before, '--name', 'stray', '--log.level', 'error'];
    try {
      expect((await loaded(file)).settings).to.deep.include({ name: 'shop', log: { level: 'info', format: 'json' } });
    } finally {
      process.argv = before;
    }
  });

  it('it reads the environment of the process by itself', async () => {
    process.env['TIDEMARK_NAME'] = 'stray';
    try {
      expect((await loaded(file)).settings.name).to.equal('shop');
    } finally {
      delete process.env['TIDEMARK_NAME'];
    }
  });

  it('its errors print whole values: here never one', async () => {
    const top =
      'admin: { port: hunter2, token: { hunter2: 1 } }\nlog: { level: hunter2 }\nstate: { endpoint: hunter2, createTables: hunter2, credentials: [hunter2] }';
    const lines = await mistakes(shop.file('b.yaml', yaml({ top })));
    expect(lines).to.have.length(6);
    expect(lines.join('\n')).to.not.include('hunter2');
  });

  it('a value in the text of an error cannot be mistaken for the error', async () => {
    const lines = await mistakes(shop.file('b.yaml', yaml({ top: 'admin: { port: "x\\nname: value was y: value was z" }' })));
    expect(lines).to.deep.equal(['b.yaml:2:16 admin.port: expected a whole number from 0 to 65535']);
  });

  it('lists are not looked into: here defaults and coercions of sinks are put back', async () => {
    const { settings } = await loaded(file, { set: ['pipelines.orders.sinks.eu.size=7'] });
    expect(settings.pipelines[0]?.sinks[0]?.options).to.deep.equal({ target: 'there', size: 7, loud: false, mode: 'fast' });
  });

  it('secrets in lists are not masked: here they are', async () => {
    const { shown } = await loaded(shop.file('b.yaml', yaml({ sink: 'password: hunter2' })));
    expect(JSON.stringify(shown)).to.include('[redacted]').and.not.include('hunter2');
  });

  it('one variable may stand for two settings: here each has its own, named after its path', () => {
    const options = [...processOptions()];
    expect(new Set(options.map(([, option]) => option.env)).size).to.equal(options.length);
    for (const [path, { env }] of options) {
      const name = path
        .replace('MiB', 'Mib')
        .replace(/([a-z])([A-Z])/g, '$1_$2')
        .replaceAll('.', '_')
        .toUpperCase();
      expect(env).to.equal(`TIDEMARK_${name}`);
    }
  });

  it('no number that is accepted from the environment is another one than was written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.integer({ min: 0, max: 65_535 }).map(String), fc.string({ maxLength: 8 })), async value => {
        const lines = await mistakes(file, { env: { TIDEMARK_ADMIN_PORT: value } });
        if (lines.length > 0) return;
        const { port } = (await loaded(file, { env: { TIDEMARK_ADMIN_PORT: value } })).settings.admin;
        expect(port).to.equal(value === '' ? 9464 : Number(value));
      }),
      { numRuns: 60 },
    );
  });
});
