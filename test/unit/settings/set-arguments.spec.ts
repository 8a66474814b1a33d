import { expect } from 'chai';
import fc from 'fast-check';
import { parseSetArgument } from '../../../src/settings/set-arguments.ts';
import { loaded, mistakes, type Workshop, workshop, yaml } from './workshop.ts';

describe('--set', () => {
  let shop: Workshop;
  let file: string;
  before(() => {
    shop = workshop();
    file = shop.file('a.yaml', yaml());
  });
  after(() => shop.remove());

  const options = async (...set: string[]) => (await loaded(file, { set })).settings.pipelines[0]?.sinks[0]?.options;

  it('takes any value as it stands, whatever characters are in it', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^\s."=]{1,8}$/u), { minLength: 1, maxLength: 4 }), fc.string(), (steps, value) => {
        expect(parseSetArgument(`${steps.join('.')}=${value}`)).to.deep.equal({ steps, value });
      }),
    );
  });

  it('takes quoted steps with dots, blanks and equal signs in them', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[^"]{1,8}$/), { minLength: 1, maxLength: 4 }), fc.string(), (steps, value) => {
        expect(parseSetArgument(`${steps.map(step => `"${step}"`).join('.')}=${value}`)).to.deep.equal({ steps, value });
      }),
    );
  });

  it('is nothing else', async () => {
    for (const text of ['', '=', 'a', '=1', '.a=1', 'a..b=1', 'a.=1', 'a b=1', 'a"b=1', '"a=1']) {
      expect(parseSetArgument(text), text).to.equal(undefined);
    }
    expect(await mistakes(file, { set: ['admin.port'] })).to.deep.equal(['--set: not of the form path=value, as admin.port=0']);
  });

  it('finds list entries by name, and by number', async () => {
    expect(await options('pipelines.orders.sinks.eu.size=50')).to.include({ size: 50 });
    expect(await options('pipelines.0.sinks.0.size=50')).to.include({ size: 50 });
    expect(await mistakes(file, { set: ['pipelines.orders.sinks.us.size=50', 'pipelines.x.name=y', 'name.x=1'] })).to.deep.equal([
      '--set pipelines.orders.sinks.us.size: no entry of that name; there are: eu',
      '--set pipelines.x.name: no entry of that name; there are: orders',
      '--set name.x: there is nothing below name',
    ]);
  });

  it('gives text where text is due, and a number or boolean where one is', async () => {
    expect(await options('pipelines.orders.sinks.eu.target=012345', 'pipelines.orders.sinks.eu.loud=true')).to.include({
      target: '012345',
      loud: true,
    });
    expect(await options('pipelines.orders.sinks.eu.target=true')).to.include({ target: 'true' });
    expect(await mistakes(file, { set: ['pipelines.orders.sinks.eu.size=5x', 'pipelines.orders.sinks.eu.loud=yes'] })).to.deep.equal([
      '--set pipelines.orders.sinks.eu.size: expected a whole number from 1 to 100',
      '--set pipelines.orders.sinks.eu.loud: expected true or false',
    ]);
  });

  it('takes lists and maps as JSON, and asks for it', async () => {
    expect(await options('pipelines.orders.sinks.eu.brokers=["a:1","b:2"]', "pipelines.orders.sinks.eu.tags={x: '1'}")).to.deep.include({
      brokers: ['a:1', 'b:2'],
      tags: { x: '1' },
    });
    expect(await options('pipelines.orders.sinks.eu.tags.y=2')).to.deep.include({ tags: { y: '2' } });
    expect(await options('pipelines.orders.sinks.eu.target={table}/x')).to.include({ target: '{table}/x' });
    expect(await mistakes(file, { set: ['pipelines.orders.sinks.eu.brokers=[a:1]'] })).to.deep.equal([
      '--set pipelines.orders.sinks.eu.brokers: expected a list, written as JSON',
    ]);
  });

  it('makes maps on the way, wins over files, and the last one wins', async () => {
    const { settings } = await loaded(file, { set: ['limits.drainSeconds=1', 'admin.port=1', 'admin.port=2', 'name=other'] });
    expect(settings.limits.drainSeconds).to.equal(1);
    expect(settings.admin.port).to.equal(2);
    expect(settings.name).to.equal('other');
  });

  it('may name a reference', async () => {
    const { settings, shown } = await loaded(file, { set: ['admin.token=${env:T}'], env: { T: 'hunter2' } });
    expect(settings.admin.token).to.equal('hunter2');
    expect(JSON.stringify(shown)).to.not.include('hunter2');
  });

  it('cannot reach a prototype', async () => {
    expect(await mistakes(file, { set: ['__proto__.polluted=1', 'constructor.prototype.polluted=1'] })).to.have.length(2);
    expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
  });
});
