import { chmodSync } from 'node:fs';
import { expect } from 'chai';
import fc from 'fast-check';
import { loaded, mistakes, type Workshop, workshop, yaml } from './workshop.ts';

describe('secrets', () => {
  let shop: Workshop;
  before(() => {
    shop = workshop();
  });
  after(() => shop.remove());

  it('are read from the environment and from files, one line end dropped', async () => {
    const secret = shop.file('secret', 'hunter2\n\n');
    const crlf = shop.file('crlf', 'hunter3\r\n');
    const top = `admin: { token: "\${file:${secret}}" }`;
    const sink = `password: \${env:PW}\nbrokers: ["\${file:${crlf}}", "a\${env:PW}b\${env:PW}"]`;
    const { settings } = await loaded(shop.file('a.yaml', yaml({ top, sink })), { env: { PW: 'pässwörd' } });
    expect(settings.admin.token).to.equal('hunter2\n');
    expect(settings.pipelines[0]?.sinks[0]?.options).to.deep.include({
      password: 'pässwörd',
      brokers: ['hunter3', 'apässwörd' + 'bpässwörd'],
    });
  });

  it('of a relative file stand beside the settings file', async () => {
    shop.file('token.txt', 'hunter2');
    expect((await loaded(shop.file('a.yaml', yaml({ top: 'admin: { token: "${file:token.txt}" }' })))).settings.admin.token).to.equal(
      'hunter2',
    );
  });

  it('may stand where a number or boolean is due', async () => {
    const file = shop.file('a.yaml', yaml({ top: 'admin: { port: "${env:PORT}" }', sink: 'size: ${env:SIZE}\nloud: ${env:LOUD}' }));
    const { settings } = await loaded(file, { env: { PORT: '8080', SIZE: '12', LOUD: 'true' } });
    expect(settings.admin.port).to.equal(8080);
    expect(settings.pipelines[0]?.sinks[0]?.options).to.deep.include({ size: 12, loud: true });
  });

  it('a doubled dollar is a literal one', async () => {
    const { settings } = await loaded(shop.file('a.yaml', yaml({ sink: 'password: "$${env:PW}"\nbrokers: ["$5", "{x}", "a$${b"]' })));
    expect(settings.pipelines[0]?.sinks[0]?.options).to.deep.include({ password: '${env:PW}', brokers: ['$5', '{x}', 'a${b'] });
  });

  it('that are empty, missing or wrongly written are named, never shown', async () => {
    const empty = shop.file('empty', '\n');
    const locked = shop.file('locked', 'hunter2');
    chmodSync(locked, 0);
    const brokers = ['${env:GONE}', '${env:EMPTY}', '${file:/no/such}', `\${file:${empty}}`, '${env:}', '${PW}', '${vault:x}', '${env:PW'];
    const lines = await mistakes(shop.file('a.yaml', yaml({ sink: `brokers: ${JSON.stringify(brokers)}` })), {
      env: { EMPTY: '', PW: 'hunter2' },
    });
    const form = 'a reference is written ${env:NAME} or ${file:/path}, and a literal ${ is written $${';
    expect(lines.map(line => line.replace(/^\S+ \S+brokers\.(\d): /, '$1 '))).to.deep.equal([
      '0 environment variable GONE is not set',
      '1 environment variable EMPTY is empty',
      '2 file /no/such is missing',
      '3 file empty is empty',
      `4 ${form}`,
      `5 ${form}`,
      `6 ${form}`,
      `7 ${form}`,
    ]);
    if (process.getuid?.() !== 0) {
      expect(await mistakes(shop.file('a.yaml', yaml({ sink: `password: "\${file:${locked}}"` })))).to.deep.equal([
        'a.yaml:12:19 pipelines.orders.sinks.eu.password: file locked cannot be read (EACCES)',
      ]);
    }
  });

  it('need not be there for a check that does not look them up', async () => {
    const text = yaml({
      top: 'admin: { port: "${env:PORT}", token: "${file:/no/such}" }',
      sink: 'size: ${env:SIZE}\nmode: ${env:MODE}\nlogin: { by: "${env:BY}" }\nbatchSize: ${env:N}\nwindowBytes: x',
    });
    expect(await mistakes(shop.file('a.yaml', text), { lookUpSecrets: false })).to.deep.equal([
      'a.yaml:16:22 pipelines.orders.sinks.eu.windowBytes: expected a whole number, at least 1',
    ]);
    expect(await mistakes(shop.file('a.yaml', text.replace('windowBytes: x', '')), { lookUpSecrets: false })).to.deep.equal([]);
    expect(await mistakes(shop.file('a.yaml', yaml({ sink: 'password: "${oops:x}"' })), { lookUpSecrets: false })).to.have.length(1);
  });

  it('that a connector quotes in a message of its own are cut out', async () => {
    const refined = shop.file('a.yaml', yaml({ sink: 'picky: "${env:X}"' }));
    expect(await mistakes(refined, { env: { X: 'x' } })).to.have.length(1);
    const refused = yaml({ sink: '' }).replace('target: there', 'target: "${env:T}"');
    const lines = await mistakes(shop.file('a.yaml', refused), { env: { T: 'refuse' } });
    expect(lines).to.deep.equal(['a.yaml:9:9 pipelines.orders.sinks.eu: the connector [redacted]s these options: no [redacted]']);
  });

  it('never name a pipeline or sink in a message when they are its name', async () => {
    const text = yaml({ sink: 'batchSize: 0' }).replace('name: eu', 'name: "${env:N}"');
    expect(await mistakes(shop.file('a.yaml', text), { env: { N: 'hunter2' } })).to.deep.equal([
      'a.yaml:12:20 pipelines.orders.sinks.0.batchSize: expected a whole number from 1 to 10000',
    ]);
  });

  it('but names of what logs must name are no secrets there', async () => {
    const file = shop.file('a.yaml', yaml({ name: '${env:N}' }).replace('table: orders', 'table: "${env:TABLE}"'));
    const { secrets, shown } = await loaded(file, { env: { N: 'shop-eu', TABLE: 'orders-eu' } });
    expect(secrets).to.deep.equal([]);
    expect(JSON.stringify(shown)).to.not.include('orders-eu');
  });

  const SPOTS: ((reference: string) => { top?: string; source?: string; sink?: string })[] = [
    r => ({ top: `admin: { token: "${r}" }` }),
    r => ({ top: `admin: { port: "${r}" }` }),
    r => ({ top: `admin: { host: "${r}" }` }),
    r => ({ top: `state: { createTables: "${r}" }` }),
    r => ({ top: `state: { endpoint: "${r}" }` }),
    r => ({ top: `state: { credentials: { accessKeyId: "${r}", secretAccessKey: "x${r}" } }` }),
    r => ({ top: `log: { level: "${r}" }` }),
    r => ({ source: `endpoint: "http://${r}"` }),
    r => ({ source: `startingPosition: "${r}"` }),
    r => ({ source: `credentials: { accessKeyId: a, secretAccessKey: "${r}" }` }),
    r => ({ sink: `password: "${r}"` }),
    r => ({ sink: `size: "${r}"` }),
    r => ({ sink: `mode: "${r}"` }),
    r => ({ sink: `loud: "${r}"` }),
    r => ({ sink: `brokers: [a, "${r}"]` }),
    r => ({ sink: `brokers: "${r}"` }),
    r => ({ sink: `tags: { a: "${r}" }` }),
    r => ({ sink: `login: { by: "${r}" }` }),
    r => ({ sink: `login: { by: name, user: "${r}", pass: "${r}" }` }),
    r => ({ sink: `renamedFrom: "${r}"` }),
    r => ({ sink: `batchSize: "${r}"` }),
  ];

  it('appear in no output, whatever field they stand in', async () => {
    const hex = fc.stringMatching(/^[0-9a-f]{12}$/).map(text => `S3-"${text}\\`);
    await fc.assert(
      fc.asyncProperty(hex, fc.constantFrom(...SPOTS), async (secret, spot) => {
        const file = shop.file('p.yaml', yaml(spot('${env:SECRET}')));
        const core = secret.slice(4, -1);
        const lines = await mistakes(file, { env: { SECRET: secret } });
        expect(lines.join('\n')).to.not.include(core);
        if (lines.length > 0) return;
        const { shown, secrets, warnings } = await loaded(file, { env: { SECRET: secret } });
        expect(JSON.stringify({ shown, warnings })).to.not.include(core);
        expect(secrets.some(text => text.includes(core))).to.equal(true);
      }),
      { numRuns: 100 },
    );
  });
});
