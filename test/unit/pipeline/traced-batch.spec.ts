import { expect } from 'chai';
import { tracedBatch } from '../../../src/pipeline/traced-batch.ts';
import { batchOf, changeRecord } from '../../fakes/records.ts';

const CARRIED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OWN = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const labels = { pipeline: 'p', table: 't', partition: 's', sink: 'eu', type: 'kafka' };
const carrying = (text: string) => changeRecord({ after: { _trace: { S: text } } });

describe('pipeline/traced-batch', () => {
  it('without a tracer and without an attribute the batch stays as it is', () => {
    const batch = batchOf([carrying(CARRIED)]);
    expect(tracedBatch(batch, { labels, observer: {} })).to.deep.equal({ batch, trace: undefined });
  });

  it('passes on what an item carries, else the context of the write', () => {
    const records = [carrying(CARRIED), changeRecord()];
    const observer = { batchBegun: () => ({ traceparent: OWN }) };
    const { batch } = tracedBatch(batchOf(records), { labels, observer, traceContextAttribute: '_trace' });
    expect(records.map(record => batch.traceparent?.(record))).to.deep.equal([CARRIED, OWN]);
  });

  for (const [what, record] of [
    ['what is no traceparent', carrying('00-not-one')],
    ['a trace id of zeros', carrying(`00-${'0'.repeat(32)}-b7ad6b7169203331-01`)],
    ['an attribute that is no text', changeRecord({ after: { _trace: { N: '1' } } })],
    ['what a removal removed', changeRecord({ kind: 'remove', before: { _trace: { S: CARRIED } } })],
  ] as const) {
    it(`does not pass on ${what}`, () => {
      const { after, ...rest } = record;
      const shown = record.kind === 'remove' ? rest : { ...rest, after: after ?? {} };
      const { batch } = tracedBatch(batchOf([shown]), { labels, observer: {}, traceContextAttribute: '_trace' });
      expect(batch.traceparent?.(shown)).to.equal(undefined);
    });
  }

  it('an attribute named like a part of every object is looked for in the item only', () => {
    const record = changeRecord({ after: {} });
    const { batch } = tracedBatch(batchOf([record]), { labels, observer: {}, traceContextAttribute: 'constructor' });
    expect(batch.traceparent?.(record)).to.equal(undefined);
  });
});
