import { expect } from 'chai';
import { ownSource } from '../../../src/adapters/aws-credential-sources.ts';
import { placeOf } from '../../../src/adapters/aws-endpoint.ts';
import { profileProblem } from '../../../src/adapters/aws-profile.ts';

const FILES = { AWS_CONFIG_FILE: '/c', AWS_SHARED_CREDENTIALS_FILE: '/s' };
const TEXTS: Readonly<Record<string, string>> = {
  '/c': '[default]\nregion = us-east-1\n\n[profile dev]\nregion=eu-west-1\n [ profile "with blank" ]\n# [profile not]\n',
  '/s': '[ops]\naws_access_key_id = a\n',
};
const read = (file: string) => TEXTS[file];

describe('AWS_PROFILE', () => {
  it('may name whatever stands in one of the files, or nothing', () => {
    for (const name of ['dev', 'ops', 'default', 'with blank', '', undefined])
      expect(profileProblem({ ...FILES, AWS_PROFILE: name }, read), name).to.equal(undefined);
  });

  it('that is in no file is named, with the files', () => {
    const said = 'AWS_PROFILE names the profile prod, which stands neither in /c nor in /s';
    expect(profileProblem({ ...FILES, AWS_PROFILE: 'prod' }, read)).to.equal(said);
    expect(profileProblem({ ...FILES, AWS_PROFILE: 'prod' }, () => undefined)).to.equal(said);
    expect(profileProblem({ ...FILES, AWS_PROFILE: 'not' }, read)).to.match(/^AWS_PROFILE names the profile not,/);
  });

  describe('that is in no file', () => {
    const before = { ...process.env };
    const set = { AWS_PROFILE: 'nobody', AWS_CONFIG_FILE: '/nowhere/config', AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials' };
    beforeEach(() => {
      for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) delete process.env[name];
      Object.assign(process.env, set, { AWS_EC2_METADATA_DISABLED: 'true' });
    });
    afterEach(() => {
      for (const name of Object.keys(set)) delete process.env[name];
      Object.assign(process.env, before);
    });
    const messageOf = (work: Promise<unknown>): Promise<string> =>
      work.then(
        () => '',
        error => error.message,
      );

    it('is the reason why there are no credentials', async () => {
      expect(await messageOf(ownSource({})())).to.match(/^AWS_PROFILE names the profile nobody, which stands neither in \/nowhere\/config/);
    });

    it('is the reason why there is no region', async () => {
      expect(await messageOf(placeOf('dynamodb', {}))).to.match(
        /Region is missing; AWS_PROFILE names the profile nobody, .*; set `region`/,
      );
    });
  });
});
