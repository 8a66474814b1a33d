import { expect } from 'chai';
import { refusalFault } from '../../../src/adapters/aws-faults.ts';

const fault = (name: string, more: { message?: string; status?: number; answer?: Record<string, unknown> } = {}) =>
  refusalFault({ name, message: 'no', status: 400, answer: {}, servedAt: undefined, ...more });

describe('classes of refusals', () => {
  const cases: readonly (readonly [string, string, number?])[] = [
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['ThrottlingException', 'throttled'],
    ['RequestLimitExceeded', 'throttled'],
    ['LimitExceededException', 'throttled'],
    ['TransactionConflictException', 'throttled'],
    ['ReplicatedWriteConflictException', 'throttled'],
    ['ExpiredTokenException', 'expired'],
    ['ExpiredToken', 'expired'],
    ['RequestExpired', 'expired'],
    ['RequestTimeTooSkewed', 'expired'],
    ['AccessDeniedException', 'denied'],
    ['UnrecognizedClientException', 'denied'],
    ['KMSAccessDeniedException', 'denied'],
    ['ResourceNotFoundException', 'missing'],
    ['ConditionalCheckFailedException', 'condition'],
    ['ValidationException', 'invalid'],
    ['ItemCollectionSizeLimitExceededException', 'invalid'],
    ['InternalServerError', 'server', 500],
    ['ServiceUnavailable', 'server', 503],
    ['SomethingNew', 'server', 502],
    ['SomethingNew', 'invalid', 400],
    ['SomethingNew', 'throttled', 429],
    ['SomethingNew', 'denied', 403],
    ['SomethingNew', 'missing', 404],
    ['SomethingNew', 'network', 408],
  ];
  for (const [name, kind, status = 400] of cases) {
    it(`${name} with ${status} is ${kind}`, () => {
      expect(fault(name, { status })).to.include({ name, class: kind, status });
    });
  }

  it('judges a cancelled transaction by its worst reason', () => {
    const cancelled = (...codes: string[]) =>
      fault('TransactionCanceledException', { answer: { CancellationReasons: codes.map(Code => ({ Code })) } }).class;
    expect(cancelled('None', 'ConditionalCheckFailed')).to.equal('condition');
    expect(cancelled('ConditionalCheckFailed', 'ValidationError')).to.equal('invalid');
    expect(cancelled('None', 'TransactionConflict')).to.equal('throttled');
    expect(cancelled('ThrottlingError', 'None')).to.equal('throttled');
  });

  it('takes an outdated signature for expired, a wrong one for denied', () => {
    const outdated = 'Signature expired: 20261123T000000Z is now earlier than 20261123T010000Z';
    expect(fault('InvalidSignatureException', { message: outdated }).class).to.equal('expired');
    expect(fault('InvalidSignatureException', { message: 'Signature not yet current: …' }).class).to.equal('expired');
    expect(fault('InvalidSignatureException', { message: 'The request signature we calculated does not match' }).class).to.equal('denied');
  });

  it('does not carry the session token that a signature fault quotes', () => {
    const message =
      "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:SECRET'";
    const quoting = fault('InvalidSignatureException', { message, answer: { message } });
    expect(JSON.stringify([quoting.message, quoting.answer])).to.not.contain('SECRET');
    expect(quoting.message).to.match(/does not match/);
  });
});
