/** The ordinary AWS chain, on files and services of the test's own. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ownSource, sdkProvider } from '../../../src/adapters/aws-credential-sources.ts';
import { CredentialKeeper, type Credentials } from '../../../src/adapters/aws-credentials.ts';
import { systemClock, systemRandom } from '../../../src/adapters/system.ts';
import { startAwsStub } from '../../fakes/aws-stub.ts';
import { keptLog } from '../../fakes/lease-world.ts';

/** Runs under an environment without the machine's own AWS settings. */
async function under(env: Readonly<Record<string, string>>, body: () => Promise<void>): Promise<void> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  const nowhere = {
    AWS_CONFIG_FILE: '/nowhere/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  Object.assign(process.env, nowhere, env);
  try {
    await body();
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

describe('sources of credentials', () => {
  it('are the options before all', async () => {
    await under({ AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 's' }, async () => {
      const own = { accessKeyId: 'OWN', secretAccessKey: 's' };
      expect(await ownSource({ credentials: own })()).to.deep.equal(own);
      expect(await ownSource({})()).to.include({ accessKeyId: 'ENV' });
    });
  });

  it('are read anew from a profile that somebody rotates', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
    const file = join(folder, 'credentials');
    const write = (key: string) => writeFileSync(file, `[work]\naws_access_key_id = ${key}\naws_secret_access_key = s\n`);
    try {
      await under({ AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'work' }, async () => {
        const source = ownSource({});
        write('FIRST');
        expect(await source()).to.include({ accessKeyId: 'FIRST' });
        write('SECOND');
        expect(await source()).to.include({ accessKeyId: 'SECOND' });
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are the container service, with the end of their life, and anew each time', async () => {
    let given = 0;
    const service = await startAwsStub(() => {
      given += 1;
      const Expiration = new Date(Date.now() + 90_000).toISOString();
      return { json: { AccessKeyId: `TASK${given}`, SecretAccessKey: 's', Token: 't', Expiration } };
    });
    try {
      await under({ AWS_CONTAINER_CREDENTIALS_FULL_URI: `${service.endpoint}/creds` }, async () => {
        const source = ownSource({});
        const first = await source();
        expect(first).to.include({ accessKeyId: 'TASK1', sessionToken: 't' });
        expect(first.expiresAt).to.be.closeTo(Date.now() + 90_000, 5_000);
        expect(await source()).to.include({ accessKeyId: 'TASK2' });
      });
    } finally {
      await service.stop();
    }
  });

  it('end in words that help when there are none', async () => {
    await under({}, async () => {
      const keeper = new CredentialKeeper(ownSource({}), { clock: systemClock, random: systemRandom, log: keptLog() });
      const why = await Promise.resolve(keeper.get(new AbortController().signal)).catch((reason: unknown) => reason);
      expect(String(why)).to.match(/no AWS credentials could be loaded .*Could not load credentials.*AWS_ACCESS_KEY_ID/);
    });
  });

  it('are asked for each time by the SDK, which would keep them otherwise', async () => {
    const source = async (): Promise<Credentials> => ({ accessKeyId: 'K', secretAccessKey: 's' });
    const keeper = new CredentialKeeper(source, { clock: systemClock, random: systemRandom, log: keptLog() });
    const given = await sdkProvider(keeper)();
    expect(given.expiration?.getTime()).to.be.lessThan(Date.now());
    expect(given).to.not.have.property('sessionToken');
  });
});
