import { expect } from 'chai';
import { environmentOverrides } from '../../../src/settings/environment.ts';
import { loaded, type Workshop, workshop, yaml } from './workshop.ts';

describe('environment overrides', () => {
  let shop: Workshop;
  let file: string;
  before(() => {
    shop = workshop();
    file = shop.file('a.yaml', yaml({ top: 'admin: { port: 1000, token: "${env:TIDEMARK_OTHER}" }' }));
  });
  after(() => shop.remove());

  const env = { TIDEMARK_OTHER: 'hunter2' };

  it('stand over the file and under --set', async () => {
    const over = { ...env, TIDEMARK_ADMIN_PORT: '2000', TIDEMARK_LOG_LEVEL: 'warn', TIDEMARK_NAME: 'other' };
    expect((await loaded(file, { env: over })).settings).to.deep.include({ name: 'other', log: { level: 'warn', format: 'json' } });
    expect((await loaded(file, { env: over })).settings.admin.port).to.equal(2000);
    expect((await loaded(file, { env: over, set: ['admin.port=3000'] })).settings.admin.port).to.equal(3000);
  });

  it('are told apart from what Kubernetes writes for services called tidemark and tidemark-admin', async () => {
    const made = {
      TIDEMARK_PORT: 'tcp://10.0.0.1:9464',
      TIDEMARK_ADMIN_PORT: 'tcp://10.0.0.1:9464',
      TIDEMARK_ADMIN_SERVICE_HOST: '10.0.0.1',
      TIDEMARK_ADMIN_SERVICE_PORT: '9464',
      TIDEMARK_ADMIN_SERVICE_PORT_METRICS: '9464',
      TIDEMARK_ADMIN_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
      TIDEMARK_ADMIN_PORT_9464_TCP_PROTO: 'tcp',
      TIDEMARK_ADMIN_PORT_9464_TCP_PORT: '9464',
      TIDEMARK_ADMIN_PORT_9464_TCP_ADDR: '10.0.0.1',
    };
    const { settings, warnings } = await loaded(file, { env: { ...env, ...made } });
    expect(settings.admin.port).to.equal(1000);
    expect(warnings).to.have.length(1);
    for (const name of Object.keys(made)) expect(warnings[0]).to.include(name);
    expect(warnings[0]).to.include('enableServiceLinks: false').and.not.include('10.0.0.1');
  });

  it('that name no setting are ignored with a warning, unless a reference names them', async () => {
    const { warnings } = await loaded(file, { env: { ...env, TIDEMARK_ADMIN_PROT: '5' } });
    expect(warnings).to.deep.equal(['ignored, for no setting is named so: TIDEMARK_ADMIN_PROT; pipelines are set by file or --set']);
  });

  it('that are secret are redacted', async () => {
    const { shown, secrets } = await loaded(file, { env: { ...env, TIDEMARK_ADMIN_TOKEN: 'hunter3-token' } });
    expect(secrets).to.include('hunter3-token');
    expect(JSON.stringify(shown)).to.include('[redacted]').and.not.include('hunter3');
  });

  it('look at nothing without our prefix', () => {
    expect(environmentOverrides({ ADMIN_PORT: '1', PATH: 'x' }, new Set(['ADMIN_PORT']), new Set())).to.deep.equal({
      env: {},
      warnings: [],
    });
  });
});
