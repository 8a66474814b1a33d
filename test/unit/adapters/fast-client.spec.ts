/** What only the fast client does by itself: its clock, its connections. The rest is held for both twins in aws-clients.spec. */

import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'chai';
import { awsClients } from '../../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../../src/adapters/system.ts';
import { ServiceFault } from '../../../src/ports/service-fault.ts';
import { refusal, signingKey, startAwsStub } from '../../fakes/aws-stub.ts';
import { keptLog } from '../../fakes/lease-world.ts';
import { TLS_IDENTITY } from '../../fakes/tls-identity.ts';

const signal = new AbortController().signal;
const PUT = { TableName: 'orders', Item: { pk: { S: 'a' } } };

async function fault(promise: Promise<unknown>): Promise<ServiceFault> {
  const outcome = await promise.catch((reason: unknown) => reason);
  if (outcome instanceof ServiceFault) return outcome;
  throw new Error(`a fault was expected, not ${String(outcome)}`);
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !what(); i++) await new Promise(resolve => setTimeout(resolve, 2));
  expect(what()).to.equal(true);
}

describe('signing key', () => {
  it("is the one of AWS's published example", () => {
    const key = signingKey('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY', ['20150830', 'us-east-1', 'iam', 'aws4_request']);
    expect(key.toString('hex')).to.equal('c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9');
  });
});

describe('AWS requests by the fast client alone', () => {
  it('correct a clock that is an hour off by the server date, and a jump back again', async () => {
    let wallMs = -3_600_000;
    const clock = { ...systemClock, now: () => systemClock.now() + wallMs };
    const clients = awsClients({ clock, random: systemRandom, log: keptLog() });
    const stub = await startAwsStub(request => {
      const sent = String(request.headers['x-amz-date']).replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z');
      const offMs = Math.abs(Date.parse(sent) - Date.now());
      return offMs > 300_000 ? refusal('InvalidSignatureException', 'the signature is not of now') : { json: {} };
    });
    const options = { region: 'eu-west-1', endpoint: stub.endpoint, credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } };
    const put = () => clients.table(options).call('PutItem', PUT, signal);
    try {
      const all = await Promise.allSettled(Array.from({ length: 8 }, put));
      for (const one of all) expect(one).to.have.nested.property('reason.class', 'expired');
      await Promise.all(Array.from({ length: 8 }, put));
      wallMs = 7_200_000;
      expect(await fault(put())).to.have.property('class', 'expired');
      await put();
    } finally {
      await clients.close();
      await stub.stop();
    }
  });

  for (const { identity, ending } of [
    { identity: undefined, ending: 'reset' },
    { identity: TLS_IDENTITY, ending: 'closed' },
  ]) {
    it(`have their connection ${ending} when aborted ${identity ? 'under TLS' : ', so that the kernel delivers no rest of it'}`, async () => {
      const trusted = getCACertificates('default');
      if (identity !== undefined) setDefaultCACertificates([...trusted, identity.cert]);
      const clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
      const stop = new AbortController();
      const stub = await startAwsStub(request => {
        if (request.index === 0) return { json: {} };
        setImmediate(() => stop.abort());
        return { hang: true };
      }, identity);
      const options = { region: 'eu-west-1', endpoint: stub.endpoint, credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } };
      try {
        await clients.table(options).call('PutItem', PUT, signal);
        await fault(clients.table(options).call('PutItem', PUT, stop.signal));
        await until(() => stub.endings.length >= 1);
        expect(stub.endings).to.deep.equal([ending]);
      } finally {
        setDefaultCACertificates(trusted);
        await clients.close();
        await stub.stop();
      }
    });
  }

  it('never send a request that was aborted while it waited for its connection', async () => {
    const clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
    const stub = await startAwsStub(() => ({ json: {} }));
    const options = { region: 'eu-west-1', endpoint: stub.endpoint, credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } };
    const stop = new AbortController();
    try {
      await clients.table(options).call('PutItem', PUT, signal);
      const waiting = Array.from({ length: 20 }, () => fault(clients.table(options).call('PutItem', PUT, stop.signal)));
      await Promise.resolve();
      stop.abort();
      for (const one of await Promise.all(waiting)) expect(one.class).to.equal('aborted');
      await new Promise(resolve => setTimeout(resolve, 50));
      expect(stub.requests).to.have.length(1);
    } finally {
      await clients.close();
      await stub.stop();
    }
  });
});
