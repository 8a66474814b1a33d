import { expect } from 'chai';
import { bearNoHome } from '../../../src/main/home.ts';

describe('home directory', () => {
  it('is the root for a user that the system does not know', () => {
    const env: NodeJS.ProcessEnv = {};
    bearNoHome(env, () => {
      throw new Error('uv_os_homedir returned ENOENT');
    });
    expect(env['HOME']).to.equal('/');
  });

  it('stays what it is for any other', () => {
    const env: NodeJS.ProcessEnv = {};
    bearNoHome(env, () => '/srv/someone');
    expect(env).to.deep.equal({});
  });
});
