import { expect } from 'chai';
import { type Place, placeOf, type ServiceName } from '../../../src/adapters/aws-endpoint.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';

/** The place under an environment of its own, without the machine's profile. */
async function placeIn(env: Readonly<Record<string, string>>, service: ServiceName, options = {}): Promise<Place> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, { AWS_CONFIG_FILE: '/nowhere/config', AWS_SHARED_CREDENTIALS_FILE: '/nowhere/credentials', ...env });
  try {
    return await placeOf(service, options);
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  }
}

describe('region and endpoint', () => {
  it('are the ordinary ones of the service in its partition', async () => {
    const origin = async (service: ServiceName, region: string) => (await placeIn({}, service, { region })).origin;
    expect(await origin('dynamodb', 'eu-west-1')).to.equal('https://dynamodb.eu-west-1.amazonaws.com');
    expect(await origin('streams', 'eu-west-1')).to.equal('https://streams.dynamodb.eu-west-1.amazonaws.com');
    expect(await origin('kinesis', 'cn-north-1')).to.equal('https://kinesis.cn-north-1.amazonaws.com.cn');
    expect(await origin('streams', 'us-gov-west-1')).to.equal('https://streams.dynamodb.us-gov-west-1.amazonaws.com');
  });

  it('are the option before all', async () => {
    const env = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://a:1', AWS_ENDPOINT_URL_DYNAMODB: 'http://b:2' };
    const place = await placeIn(env, 'dynamodb', { region: 'eu-west-1', endpoint: 'http://c:3/path/' });
    expect(place).to.deep.equal({ region: 'eu-west-1', signingRegion: 'eu-west-1', origin: 'http://c:3', host: 'c:3', path: '/path/' });
  });

  it("are the service's variable before the general one", async () => {
    const env = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://a:1', AWS_ENDPOINT_URL_DYNAMODB_STREAMS: 'http://b:2' };
    expect(await placeIn(env, 'streams')).to.include({ region: 'us-east-1', origin: 'http://b:2' });
    expect(await placeIn(env, 'dynamodb')).to.include({ origin: 'http://a:1' });
    expect(await placeIn({ ...env, AWS_ENDPOINT_URL_KINESIS: 'http://k:4' }, 'kinesis')).to.include({ origin: 'http://k:4' });
  });

  it('follow the variables for dual stack and FIPS', async () => {
    const dual = await placeIn({ AWS_USE_DUALSTACK_ENDPOINT: 'true' }, 'streams', { region: 'eu-west-1' });
    expect(dual.origin).to.equal('https://streams-dynamodb.eu-west-1.api.aws');
    const fips = await placeIn({ AWS_USE_FIPS_ENDPOINT: 'true' }, 'dynamodb', { region: 'us-east-1' });
    expect(fips.origin).to.equal('https://dynamodb-fips.us-east-1.amazonaws.com');
  });

  it('say what to set when there is no region', async () => {
    const error = await placeIn({}, 'dynamodb').catch((reason: unknown) => reason);
    if (!(error instanceof ServiceFault)) throw new Error('a fault was expected');
    expect(error.class).to.equal('invalid');
    expect(error.message).to.match(/Region is missing.*set `region`/);
  });
});
