/** What each failure of the client means: the table, and that wrappers do not hide it. */
import { expect } from 'chai';
import kafkajs from 'kafkajs';
import { protocolError } from '../../test/fakes/stub-kafka.ts';
import { failureOf, faultOf, isDoubt, isStale, Unconfirmed } from './faults.ts';

/** As kafkajs wraps what happened first. */
const wrapped = (name: string) => new Error('wrapped', { cause: Object.assign(new Error('what happened'), { name }) });
const fault = (error: unknown, logins = 1) => faultOf(failureOf(error), { where: 'orders-3', logins });

describe('kafka faults', () => {
  const table: readonly (readonly [string, 'retry' | 'reject' | 'halt', string])[] = [
    ['NOT_LEADER_FOR_PARTITION', 'retry', ''],
    ['LEADER_NOT_AVAILABLE', 'retry', ''],
    ['UNKNOWN_TOPIC_OR_PARTITION', 'retry', ''],
    ['REQUEST_TIMED_OUT', 'retry', ''],
    ['NOT_ENOUGH_REPLICAS', 'retry', ''],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry', ''],
    ['KAFKA_STORAGE_ERROR', 'retry', ''],
    ['KAFKAJS_UNKNOWN_ERROR_CODE', 'retry', ''],
    ['MESSAGE_TOO_LARGE', 'reject', 'max.message.bytes'],
    ['RECORD_LIST_TOO_LARGE', 'reject', 'max.message.bytes'],
    ['INVALID_RECORD', 'reject', 'log'],
    ['TOPIC_AUTHORIZATION_FAILED', 'halt', 'grant Write and Describe'],
    ['CLUSTER_AUTHORIZATION_FAILED', 'halt', 'grant'],
    ['INVALID_TOPIC_EXCEPTION', 'halt', 'another topic'],
    ['UNSUPPORTED_COMPRESSION_TYPE', 'halt', 'another compression'],
  ];
  for (const [type, disposition, mend] of table) {
    it(`${type}: ${disposition}`, () => {
      const it = fault(protocolError(type));
      expect(it.disposition).to.equal(disposition);
      expect(it.message).to.contain(type).and.contain('orders-3').and.contain(mend);
      expect(it.judged).to.equal(disposition === 'reject');
    });
  }

  it('heals where a grant may arrive, not where only another configuration helps', () => {
    expect(fault(protocolError('TOPIC_AUTHORIZATION_FAILED')).heals).to.equal(true);
    expect(fault(protocolError('UNSUPPORTED_COMPRESSION_TYPE')).heals).to.equal(false);
  });

  it('takes a failed login for expired credentials twice, then halts and looks again', () => {
    const refused = wrapped('KafkaJSSASLAuthenticationError');
    expect([1, 2, 3].map(logins => fault(refused, logins).disposition)).to.deep.equal(['retry', 'retry', 'halt']);
    expect(fault(refused, 3).heals).to.equal(true);
    expect(fault(protocolError('SASL_AUTHENTICATION_FAILED'), 3).disposition).to.equal('halt');
  });

  it('tries the network again, and knows that no broker answered', () => {
    const closed = wrapped('KafkaJSConnectionClosedError');
    expect(fault(closed).disposition).to.equal('retry');
    expect(failureOf(closed)).to.deep.include({ type: 'KafkaJSConnectionClosedError', answered: false });
    expect(failureOf(protocolError('NOT_ENOUGH_REPLICAS')).answered).to.equal(true);
    expect(fault('not even an error').disposition).to.equal('retry');
  });

  it('looks into a collection of errors', () => {
    expect(failureOf(new kafkajs.KafkaJSAggregateError('Topic creation errors', [protocolError('POLICY_VIOLATION')])).type).to.equal(
      'POLICY_VIOLATION',
    );
  });

  it('tells a leader that moved from a topic that is not what it was', () => {
    const moved = failureOf(protocolError('NOT_LEADER_FOR_PARTITION'));
    expect([isStale(moved), isDoubt(moved)]).to.deep.equal([true, false]);
    const gone = failureOf(protocolError('UNKNOWN_TOPIC_OR_PARTITION'));
    expect([isStale(gone), isDoubt(gone)]).to.deep.equal([true, true]);
    expect(isDoubt(failureOf(new Unconfirmed('no confirmation')))).to.equal(true);
    expect(isStale(failureOf(protocolError('NOT_ENOUGH_REPLICAS')))).to.equal(false);
  });
});
