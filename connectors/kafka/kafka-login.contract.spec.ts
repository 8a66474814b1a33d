/**
 * A real broker that asks for TLS and a login: passwords right and wrong, tokens that expire and are replaced in their file, and an abort over TLS,
 * where the socket below has to be reset.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { SinkFault } from '../../src/connector.ts';
import { openSink, readTopic } from '../../test/fakes/kafka-bench.ts';
import { keptLog } from '../../test/fakes/lease-world.ts';
import { simpleRecord } from '../../test/fakes/pipeline-world.ts';
import { removeFolder, temporaryFolder } from '../../test/servers/child.ts';
import { javaCommand } from '../../test/servers/java.ts';
import { type Kafka, startKafka } from '../../test/servers/kafka.ts';
import { freePort } from '../../test/servers/ports.ts';
import { type FaultyProxy, startProxy } from '../../test/servers/proxy.ts';

const PASSWORD = 'a-password-of-the-test';
const LOGIN = 'org.apache.kafka.common.security';

/** Then the broker closes a connection, so that the next write has to log in. */
const IDLE_MS = 1_000;

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));
const text = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token without a signature, as the broker's own test login takes it. */
function token(livesMs: number): string {
  const now = Date.now() / 1000;
  return `${text({ alg: 'none' })}.${text({ sub: 'tidemark', iat: now - 1, exp: now + livesMs / 1000 })}.`;
}

/** A key for the broker, and its certificate, which it trusts itself too. */
async function keys(folder: string): Promise<{ store: string; trusted: string; ca: string }> {
  const keytool = dirname(javaCommand()) === '.' ? 'keytool' : join(dirname(javaCommand()), 'keytool');
  const [store, trusted, pem] = ['keys.p12', 'trusted.p12', 'ca.pem'].map(name => join(folder, name)) as [string, string, string];
  const run = async (...args: string[]) =>
    (await promisify(execFile)(keytool, [...args, '-storepass', PASSWORD, '-alias', 'broker'])).stdout;
  await run(
    '-genkeypair',
    '-keyalg',
    'EC',
    '-dname',
    'CN=localhost',
    '-ext',
    'SAN=IP:127.0.0.1',
    '-storetype',
    'PKCS12',
    '-keystore',
    store,
  );
  const ca = await run('-exportcert', '-rfc', '-keystore', store);
  await writeFile(pem, ca);
  await run('-importcert', '-noprompt', '-file', pem, '-storetype', 'PKCS12', '-keystore', trusted);
  return { store, trusted, ca };
}

describe('kafka: TLS and logins', function () {
  this.timeout(40_000);
  const folder = temporaryFolder('kafka-login');
  let kafka: Kafka;
  let proxy: FaultyProxy;
  let ssl: { ca: string };
  before(async () => {
    const { store, trusted, ca } = await keys(folder);
    ssl = { ca };
    const port = await freePort();
    proxy = await startProxy(port);
    kafka = await startKafka({
      ports: [port],
      advertisedPorts: [proxy.port],
      properties: {
        'connections.max.idle.ms': String(IDLE_MS),
        'listener.security.protocol.map': 'PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT',
        'sasl.enabled.mechanisms': 'PLAIN,OAUTHBEARER',
        'sasl.mechanism.inter.broker.protocol': 'PLAIN',
        'listener.name.plaintext.plain.sasl.jaas.config': `${LOGIN}.plain.PlainLoginModule required username="admin" password="${PASSWORD}" user_admin="${PASSWORD}" user_tidemark="${PASSWORD}";`,
        'listener.name.plaintext.oauthbearer.sasl.jaas.config': `${LOGIN}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="admin";`,
        'ssl.keystore.location': store,
        'ssl.keystore.password': PASSWORD,
        'ssl.keystore.type': 'PKCS12',
        'ssl.truststore.location': trusted,
        'ssl.truststore.password': PASSWORD,
        'ssl.truststore.type': 'PKCS12',
      },
    });
  });
  afterEach(() => proxy.mode('pass'));
  after(async () => {
    await kafka?.stop();
    await proxy?.stop();
    await removeFolder(folder);
  });

  const plain = (password: string) => ({ mechanism: 'plain', username: 'tidemark', password });
  const open = (topic: string, sasl: object, log = keptLog()) => openSink(kafka.brokers, { topic, createTopic: true, ssl, sasl }, log);
  const read = (topic: string) => readTopic(kafka.brokers, topic, { ssl, sasl: plain(PASSWORD) });
  const write = (sink: Awaited<ReturnType<typeof open>>, n: number, signal = AbortSignal.timeout(10_000)) =>
    sink.write({ records: [simpleRecord(n, 'k')], bytes: 0, replayedBefore: 0 }, signal);
  const message = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('it did not fail'),
      (error: SinkFault) => error.message,
    );

  it('writes over TLS with a password, and an abort resets the connection below', async () => {
    const sink = await open('plain', plain(PASSWORD));
    await write(sink, 1);
    await proxy.mode('hang');
    expect(await message(write(sink, 2, AbortSignal.timeout(300)))).to.contain('aborted');
    await proxy.mode('pass');
    await write(sink, 3);
    expect((await read('plain')).map(({ eventId }) => eventId)).to.include.members(['event-1', 'event-3']);
    await sink.close();
  });

  it('a wrong password is told without the password', async () => {
    const log = keptLog();
    const refused = await message(open('plain', plain('wrong-password'), log));
    expect(refused)
      .to.match(/authentication failed/i)
      .and.contain('check sasl');
    expect(JSON.stringify([refused, log.lines])).not.to.contain('wrong-password');
  });

  it('a certificate that is not trusted is told', async () => {
    const untrusted = openSink(kafka.brokers, { topic: 'plain', ssl: true, sasl: plain(PASSWORD) });
    expect(await message(untrusted)).to.contain('self-signed certificate');
  });

  it('K12: a token is read anew for each connection; an expired one is a retry until its file is replaced', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, token(60_000));
    const sink = await open('tokens', { mechanism: 'oauthbearer', tokenFile });
    await write(sink, 1);
    await writeFile(tokenFile, token(-10_000));
    await pause(IDLE_MS * 2.5);
    expect(await message(write(sink, 2))).to.match(/authentication failed: .*invalid_token/);
    await writeFile(tokenFile, `${token(60_000)}\n`);
    await write(sink, 2);
    expect((await read('tokens')).map(({ eventId }) => eventId)).to.include.members(['event-1', 'event-2']);
    await sink.close();
  });
});
