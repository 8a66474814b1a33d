import { expect } from 'chai';
import { builtInTypes, loadConnectors } from '../../../src/settings/connector-loader.ts';
import { loaded, mistakes, type Workshop, workshop, yaml } from './workshop.ts';

describe('connectors by name', () => {
  let shop: Workshop;
  before(() => {
    shop = workshop();
  });
  after(() => shop.remove());

  const ofType = (type: string) => mistakes(shop.file('a.yaml', yaml().replace('fake-sink', type)));

  it('come from a package beside the settings file', async () => {
    const { settings } = await loaded(shop.file('a.yaml', yaml()));
    expect(settings.pipelines[0]?.sinks[0]?.connector.traits({})).to.include({ order: 'key' });
  });

  it('come from any shape of package', async () => {
    const source = "import fake from 'fake-sink'; export default fake;";
    const shapes: Record<string, object> = {
      'by-main': { main: './index.mjs' },
      'by-text': { exports: './index.mjs' },
      'by-conditions': { exports: { types: './x.d.ts', require: './no.cjs', node: { import: './index.mjs' } } },
      '@scope/by-subpath': { exports: { './other': './no.mjs', '.': { default: './index.mjs' } } },
    };
    for (const [name, manifest] of Object.entries(shapes)) {
      shop.pack(name, source, manifest);
      expect(await ofType(`"${name}"`), name).to.deep.equal([]);
    }
  });

  it('that are not there are reported together, with what is', async () => {
    const text = yaml()
      .replace('fake-sink', 'kafak')
      .replace(
        '    sinks:',
        '    sinks:\n      - { name: b, type: ../../escape }\n      - { name: c, type: fs }\n      - { name: d, type: "" }',
      );
    const lines = await mistakes(shop.file('a.yaml', text));
    expect(lines.map(line => line.split(':').slice(0, 3).join(':'))).to.deep.equal([
      'a.yaml:9:26 pipelines.orders.sinks.b.type',
      'a.yaml:10:26 pipelines.orders.sinks.c.type',
      'a.yaml:11:26 pipelines.orders.sinks.d.type',
      'a.yaml:13:15 pipelines.orders.sinks.eu.type',
    ]);
    for (const line of lines.filter(l => !l.includes('.d.'))) {
      expect(line).to.include(`no connector of this type; there are: ${builtInTypes().join(', ')}, and installed packages by their names`);
    }
  });

  it('that cannot be loaded say why', async () => {
    shop.pack('broken', 'this is not JavaScript');
    shop.pack('throws', "throw new Error('no licence')");
    shop.pack('empty', 'export const nothing = 1;');
    shop.pack('old-zod', 'export default { schema: { safeParse() {} }, traits() {}, open() {} };');
    shop.pack(
      'clashes',
      "import fake from 'fake-sink'; import { z } from 'zod'; export default { ...fake, schema: z.strictObject({ batchSize: z.int() }) };",
    );
    expect((await ofType('broken'))[0]).to.include('the connector cannot be loaded: ');
    expect((await ofType('throws'))[0]).to.include('the connector cannot be loaded: no licence');
    expect((await ofType('empty'))[0]).to.include('not a connector: its default export must have schema, traits and open');
    expect((await ofType('old-zod'))[0]).to.include('the connector cannot be loaded: ');
    expect((await ofType('clashes')).join('\n')).to.include('the connector names options of its own as ours are named: batchSize');
  });

  it('of the tree all load, and take no name of ours', async () => {
    for (const [type, outcome] of await loadConnectors(builtInTypes(), [])) expect(outcome, type).to.have.property('connector');
  });
});
