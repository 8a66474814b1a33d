/** What a consumer finds in a message. */
import { expect } from 'chai';
import { FORMATS } from '../../src/formats/encoded.ts';
import { simpleRecord } from '../../test/fakes/pipeline-world.ts';
import { virtualClock } from '../../test/fakes/virtual-clock.ts';
import { messageForm } from './messages.ts';

const record = simpleRecord(7, 'order 1');
const { after, ...rest } = record;
const removal = { ...rest, kind: 'remove' as const, before: after ?? {} };

const form = (format: (typeof FORMATS)[number] = 'debezium', tombstones = true) =>
  messageForm({ format, tombstones, values: undefined }, { clock: virtualClock(), writer: 'shop/orders' });

describe('kafka messages', () => {
  for (const format of FORMATS) {
    it(`${format}: the key is the item’s, the value is JSON, the headers name the event`, () => {
      const { key, contents } = form(format).encode(record);
      expect(String(key)).to.equal('{"pk":"order 1"}');
      expect(form(format).key(record)).to.deep.equal(key);
      expect(contents).to.have.length(1);
      expect(contents[0]?.headers).to.include({ eventID: 'event-7', 'content-type': 'application/json' });
      expect(() => JSON.parse(String(contents[0]?.value))).not.to.throw();
    });
  }

  it('cloudevents: the attributes are headers and the value is the data (binary mode)', () => {
    const { headers = {}, value } = form('cloudevents').encode(record).contents[0] ?? {};
    expect(headers).to.include({ ce_specversion: '1.0', ce_id: 'event-7', ce_type: 'com.amazonaws.dynamodb.MODIFY', ce_subject: 'orders' });
    expect(headers['ce_sequence']).to.equal('7'.padStart(40, '0'));
    expect(JSON.parse(String(value))).to.include({ eventID: 'event-7', eventSource: 'aws:dynamodb' });
  });

  it('trace context goes along as a header, and as an attribute of a CloudEvent', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect(form().encode(record, traceparent).contents[0]?.headers).to.include({ traceparent });
    expect(form('cloudevents').encode(record, traceparent).contents[0]?.headers).to.include({ traceparent, ce_traceparent: traceparent });
    expect(form().encode(record).contents[0]?.headers).not.to.have.property('traceparent');
  });

  it('debezium: says when it was sent beside when it was changed', () => {
    const value = JSON.parse(String(form().encode(record).contents[0]?.value));
    expect([value.op, value.source.ts_ms, value.ts_ms]).to.deep.equal(['u', record.changedAt, virtualClock().now()]);
  });

  it('a tombstone follows a removal, unless it is not wanted', () => {
    const [message, tombstone, third] = form().encode(removal).contents;
    expect(JSON.parse(String(message?.value))).to.include({ op: 'd' });
    expect([tombstone, third]).to.deep.equal([{ value: null, headers: { eventID: 'event-7' } }, undefined]);
    expect(form('debezium', false).encode(removal).contents).to.have.length(1);
  });
});
