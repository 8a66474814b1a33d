/** What a user of the connector writes down: the options, the sample, and the logins that need something from outside. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { SinkFault } from '../../src/connector.ts';
import { loadSettings } from '../../src/settings/load.ts';
import { isSecretAt, jsonSchemaOf } from '../../src/settings/schema-shape.ts';
import kafka from './index.ts';
import { optionsSchema } from './options.ts';
import { kafkajsSasl } from './sasl.ts';

const LEAST = { brokers: ['broker:9092'], topic: 'orders' };

function problem(more: object): string {
  const parsed = optionsSchema.safeParse({ ...LEAST, ...more });
  return parsed.error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? 'accepted';
}

describe('kafka options', () => {
  it('have the contract’s defaults', () => {
    expect(optionsSchema.parse(LEAST)).to.deep.equal({
      ...LEAST,
      format: 'debezium',
      clientId: 'tidemark',
      ssl: false,
      compression: 'none',
      acks: -1,
      tombstones: true,
      createTopic: false,
      timestamp: 'change',
    });
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['no acknowledgement at all', { acks: 0 }, /acks: expected -1 or 1/],
    ['a codec that the client does not have', { compression: 'lz4' }, /compression: .*no snappy or lz4/],
    ['a broker without a port', { brokers: ['broker'] }, /expected host:port/],
    ['an IPv6 literal, which the client cuts at its first colon', { brokers: ['[::1]:9092'] }, /no IPv6 literals/],
    ['no broker', { brokers: [] }, /brokers/],
    ['several brokers in one text', { brokers: ['a:9092,b:9092'] }, /several entries of the list/],
    ['a broker with a scheme', { brokers: ['SASL_SSL://a:9092'] }, /without what stands before :\/\//],
    ['a port that is none', { brokers: ['a:99999'] }, /a port from 1 to 65535/],
    ['a host that is none', { brokers: ['-a:9092'] }, /cannot be a host name/],
    ['the topics . and ..', { topic: '..' }, /not \. or \.\./],
    ['a topic that is too long', { topic: 'x'.repeat(250) }, /1 to 249/],
    ['a region that is none', { sasl: { mechanism: 'aws-msk-iam', region: 'us-east-1a' } }, /availability zone/],
    ['a topic with a blank', { topic: 'my topic' }, /topic: expected the name of a topic/],
    ['an unknown option', { topics: 'x' }, /topics/],
    ['a token from two places', { sasl: { mechanism: 'oauthbearer', tokenFile: 'a', module: 'b' } }, /either tokenFile or module/],
    ['an unknown mechanism', { sasl: { mechanism: 'gssapi' } }, /sasl/],
  ];
  for (const [what, more, message] of refused) {
    it(`refuse ${what}`, () => {
      expect(problem(more)).to.match(message);
    });
  }

  it('mark what must never be shown', () => {
    const schema = jsonSchemaOf(optionsSchema);
    for (const path of [
      ['sasl', 'password'],
      ['ssl', 'key'],
      ['ssl', 'passphrase'],
    ]) {
      expect(isSecretAt(schema, path), path.join('.')).to.equal(true);
    }
    expect(isSecretAt(schema, ['sasl', 'username'])).to.equal(false);
  });

  it('the sample loads, and its password is not shown', async () => {
    const file = fileURLToPath(new URL('./sample.yaml', import.meta.url));
    const { settings, shown } = await loadSettings({ files: [file], env: { KAFKA_PASSWORD: 'a-secret-of-the-test' } });
    expect(settings.pipelines[0]?.sinks[0]?.type).to.equal('kafka');
    expect(JSON.stringify(settings.pipelines)).to.contain('a-secret-of-the-test');
    expect(JSON.stringify(shown)).not.to.contain('a-secret-of-the-test');
  });

  it('keep order per key, never coalesce, and take batches that fit a request', () => {
    expect(kafka.traits(optionsSchema.parse(LEAST))).to.deep.include({
      order: 'key',
      coalesce: 'never',
      oncePerKey: false,
      timeoutMs: 30_000,
    });
  });
});

describe('kafka logins', () => {
  const fault = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it did not fail'),
      (error: SinkFault) => error,
    );

  it('K12: say which package is missing for Amazon MSK', async () => {
    const missing = await fault(kafkajsSasl({ mechanism: 'aws-msk-iam', region: 'us-east-1' }));
    expect(missing.disposition).to.equal('halt');
    expect(missing.message).to.contain('npm install aws-msk-iam-sasl-signer-js');
  });

  it('take a token from a module, anew each time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tidemark-kafka-'));
    const module = join(folder, 'token.mjs');
    writeFileSync(module, 'let n = 0; export default async () => `token-${(n += 1)}`;');
    const sasl = (await kafkajsSasl({ mechanism: 'oauthbearer', module })) as {
      authenticationProvider(args: object): { authenticate(): Promise<void> };
    };
    const sent: string[] = [];
    const saslAuthenticate = async ({ request }: { request: { encode(): Buffer } }) => void sent.push(String(request.encode().subarray(4)));
    for (let i = 0; i < 2; i += 1) await sasl.authenticationProvider({ saslAuthenticate }).authenticate();
    expect(sent).to.deep.equal(['n,,\u0001auth=Bearer token-1\u0001\u0001', 'n,,\u0001auth=Bearer token-2\u0001\u0001']);
    await rm(folder, { recursive: true });
  });

  it('say when the module has no function to offer', async () => {
    expect((await fault(kafkajsSasl({ mechanism: 'oauthbearer', module: 'node:os' }))).message).to.contain(
      'default export is not a function',
    );
    expect((await fault(kafkajsSasl({ mechanism: 'oauthbearer', module: 'no-such-package' }))).message).to.contain('sasl.module');
  });
});
