/** What both twins promise of a request, held against a loopback server that misbehaves in all the ways of a real one. */

import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { type AwsClients, awsClients } from '../../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../../src/adapters/system.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import type { AwsOptions, TableApi } from '../../../src/ports/table-api.ts';
import { type AwsStub, expectedSignature, refusal, type StubAnswer, type StubRequest, startAwsStub } from '../../fakes/aws-stub.ts';
import { keptLog } from '../../fakes/lease-world.ts';

const signal = new AbortController().signal;
const PUT = { TableName: 'orders', Item: { pk: { S: 'a' }, n: { N: '12345678901234567890123456789012345678' } } };

async function fault(promise: Promise<unknown>): Promise<ServiceFault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceFault) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i++) await new Promise(resolve => setTimeout(resolve, 2));
  expect(what()).to.equal(true);
}

for (const client of ['fast', 'sdk'] as const) {
  describe(`AWS requests by the ${client} client`, () => {
    let clients: AwsClients;
    let stub: AwsStub;
    let script: (request: StubRequest) => StubAnswer | Promise<StubAnswer>;
    let elapsedMs = 0;
    const options = (more: AwsOptions = {}): AwsOptions => ({
      region: 'eu-west-1',
      endpoint: stub.endpoint,
      credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token+/=' },
      client,
      ...more,
    });
    const table = (more: AwsOptions = {}): TableApi => clients.table(options(more));
    const put = (more: AwsOptions = {}, by: AbortSignal = signal) => table(more).call('PutItem', PUT, by);

    beforeEach(async () => {
      script = () => ({ json: {} });
      stub = await startAwsStub(request => script(request));
      elapsedMs = 0;
      const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + elapsedMs };
      clients = awsClients({ clock, random: systemRandom, log: keptLog() });
    });
    afterEach(async () => {
      await clients.close();
      await stub.stop();
    });

    it('are signed as the service wants it, on a path of its own too', async () => {
      await put();
      await put({ endpoint: `${stub.endpoint}/some way/` });
      await put({ credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } });
      for (const request of stub.requests) {
        const { given, expected } = expectedSignature(request, 'secret');
        expect(given).to.equal(expected);
        expect(request.headers.authorization).to.match(/Credential=AKID\/\d{8}\/eu-west-1\/dynamodb\/aws4_request/);
      }
      const [first, second, third] = stub.requests;
      expect(first).to.include({ target: 'DynamoDB_20120810.PutItem', path: '/' });
      expect(first?.headers).to.include({ 'content-type': 'application/x-amz-json-1.0', 'x-amz-security-token': 'token+/=' });
      expect(first?.json).to.deep.equal(PUT);
      expect(second?.path).to.equal('/some%20way/');
      expect(third?.headers).to.not.have.property('x-amz-security-token');
    });

    it('are attempted once, whatever the answer', async () => {
      script = () => ({ status: 500, json: { __type: 'InternalServerError', message: 'oh' } });
      expect(await fault(put())).to.include({ class: 'server', name: 'InternalServerError', status: 500, message: 'oh' });
      script = () => refusal('ThrottlingException', 'slow down');
      expect(await fault(put())).to.include({ class: 'throttled', message: 'slow down' });
      script = () => ({ drop: 'whole' });
      expect(await fault(put())).to.have.property('class', 'network');
      script = () => ({ drop: 'half' });
      expect(await fault(put())).to.have.property('class', 'network');
      expect(stub.requests).to.have.length(4);
    });

    it('carry the answer of a failed condition, whatever its attributes are called', async () => {
      const item = JSON.parse('{"pk":{"S":"a"},"__proto__":{"S":"p"},"constructor":{"B":"AAEC"}}');
      script = () => refusal('ConditionalCheckFailedException', 'The conditional request failed', { Item: item });
      const failed = await fault(put());
      expect(failed.class).to.equal('condition');
      expect(JSON.stringify(failed.answer['Item'])).to.equal(JSON.stringify(item));
      expect(failed.servedAt).to.be.closeTo(Date.now(), 5_000);
    });

    it('understand refusals in every spelling, and answers of strangers', async () => {
      script = () => ({ status: 400, headers: { 'x-amzn-errortype': 'ValidationException:http://internal/' }, json: { Message: 'bad' } });
      expect(await fault(put())).to.include({ name: 'ValidationException', class: 'invalid', message: 'bad' });
      script = () => ({ status: 502, text: '<html>Bad gateway</html>', headers: { 'content-type': 'text/html' } });
      expect(await fault(put())).to.include({ name: 'HTTP502', class: 'server' });
      script = () => ({ status: 403, text: '<html>no</html>' });
      expect(await fault(put())).to.include({ name: 'HTTP403', class: 'denied' });
      script = () => ({ text: '<html>welcome to our Wi-Fi</html>' });
      expect(await fault(put())).to.include({ name: 'UnreadableAnswer', class: 'network' });
      script = () => ({ json: {}, headers: { 'x-amz-crc32': '1' } });
      expect(await fault(put())).to.include({ name: 'CRC32CheckFailed', class: 'network' });
    });

    it('say where they went when nobody answers', async () => {
      const refused = await fault(put({ endpoint: 'http://127.0.0.1:9' }));
      expect(refused).to.include({ class: 'network', name: 'ECONNREFUSED', status: 0 });
      expect(refused.message).to.contain('127.0.0.1:9');
    });

    it('are settled after an abort when their connection is gone, and are not sent again', async () => {
      const stop = new AbortController();
      script = () => {
        setTimeout(() => stop.abort(), 5);
        return { hang: true };
      };
      expect(await fault(put({}, stop.signal))).to.have.property('class', 'aborted');
      await until(() => stub.endings.length === 1);
      script = () => ({ json: {} });
      await put();
      expect(stub.requests).to.have.length(2);
      expect(await fault(put({}, stop.signal))).to.have.property('class', 'aborted');
      expect(stub.requests).to.have.length(2);
    });

    it('leave no listener on a signal that many share', async () => {
      const shared = new AbortController();
      let most = 0;
      script = ({ index }) => {
        most = Math.max(most, getEventListeners(shared.signal, 'abort').length);
        return index % 10 === 0 ? refusal('ThrottlingException') : index % 10 === 1 ? { drop: 'whole' } : { json: {} };
      };
      for (let i = 0; i < 20; i++) {
        await Promise.all(Array.from({ length: 10 }, () => put({}, shared.signal).catch(() => {})));
      }
      await until(() => getEventListeners(shared.signal, 'abort').length === 0);
      expect(stub.requests).to.have.length(200);
      expect(most).to.be.at.most(12);
    });

    it('use connections again', async () => {
      for (let i = 0; i < 20; i++) await put();
      expect(stub.connections).to.be.at.most(2);
    });

    it('are signed with new credentials after the old ones were refused', async () => {
      const more: AwsOptions = { credentials: undefined };
      const before = { ...process.env };
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'OLD', AWS_SECRET_ACCESS_KEY: 'secret', AWS_PROFILE: '' });
      delete process.env['AWS_SESSION_TOKEN'];
      try {
        await put(more);
        process.env['AWS_ACCESS_KEY_ID'] = 'NEW';
        script = request => (request.headers.authorization?.includes('=NEW/') ? { json: {} } : refusal('ExpiredTokenException'));
        elapsedMs = 2_000;
        expect(await fault(put(more))).to.have.property('class', 'expired');
        await put(more);
        const [first, , last] = stub.requests;
        expect(first?.headers.authorization).to.contain('=OLD/');
        expect(last?.headers.authorization).to.contain('=NEW/');
      } finally {
        Object.assign(process.env, { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '', AWS_PROFILE: '' }, before);
      }
    });

    it('assume a role with an external id, and sign with what STS gives', async () => {
      const sts = await startAwsStub(() => ({
        headers: { 'content-type': 'text/xml' },
        text: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>
          <SecretAccessKey>role-secret</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
          </AssumeRoleResult></AssumeRoleResponse>`,
      }));
      process.env['AWS_ENDPOINT_URL_STS'] = sts.endpoint;
      try {
        await put({ roleArn: 'arn:aws:iam::123456789012:role/reader', externalId: 'shop-7' });
        expect(sts.requests[0]?.text).to.match(/RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader/);
        expect(sts.requests[0]?.text).to.match(/ExternalId=shop-7/);
        expect(stub.requests[0]?.headers.authorization).to.contain('Credential=ROLE/');
      } finally {
        delete process.env['AWS_ENDPOINT_URL_STS'];
        await sts.stop();
      }
    });

    it('are never the same request for two places or accounts', async () => {
      const other: AwsOptions = { credentials: { accessKeyId: 'OTHER', secretAccessKey: 'secret' } };
      expect(table()).to.equal(table());
      expect(table(other)).to.not.equal(table());
      expect(table({ region: 'us-east-1' })).to.not.equal(table());
      await Promise.all([put(), put(other)]);
      const keys = stub.requests.map(request => /Credential=(\w+)/.exec(request.headers.authorization ?? '')?.[1]);
      expect(keys).to.have.members(['AKID', 'OTHER']);
    });

    it('break with the house', async () => {
      script = () => ({ hang: true });
      const hanging = fault(put());
      await until(() => stub.requests.length === 1);
      await clients.close();
      expect((await hanging).class).to.be.oneOf(['aborted', 'network']);
      await until(() => stub.openConnections === 0);
    });
  });
}
