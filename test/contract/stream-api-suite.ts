/** What every `StreamApi` promises against a real server: the listing, places, pages, and records that carry what was written. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { ChangeRecord, Source } from '../../src/model/change-record.ts';
import type { Item } from '../../src/model/item.ts';
import type { IteratorPlace, StreamApi, StreamDescription } from '../../src/ports/stream-api.ts';
import type { TableApi } from '../../src/ports/table-api.ts';
import { randomItem } from '../fakes/random-items.ts';
import { EVERYTHING, faultOf, NEVER, sameItem } from './table-api-suite.ts';

export interface StreamServer {
  readonly table: TableApi;
  readonly streams: StreamApi;
}

export interface StreamTraits {
  /** How many random items are written. */
  readonly items: number;
  /** Whether the server refuses shards and streams that do not exist. */
  readonly strict: boolean;
}

/** `open` gives a table API and the stream API beside it. */
export function describeStreamApi(name: string, open: () => Promise<StreamServer>, { items, strict }: StreamTraits): void {
  describe(`StreamApi: ${name}`, () => {
    const TableName = `streamed-${name}`;
    let table: TableApi;
    let streams: StreamApi;
    let stream: StreamDescription;
    let source: Source;

    /** All records from a place on, until nothing comes any more. */
    const readFrom = async (place: IteratorPlace): Promise<ChangeRecord[]> => {
      const opened = await streams.iterator(source, place, NEVER);
      if (opened.is !== 'iterator') throw new Error(`no iterator: ${opened.is}`);
      const records: ChangeRecord[] = [];
      let iterator: string | undefined = opened.iterator;
      for (let empty = 0; iterator !== undefined && empty < 3; ) {
        const page = await streams.read(iterator, source, NEVER);
        if (page.is !== 'page') throw new Error(`no page: ${page.is}`);
        expect(page.records.reduce((sum, record) => sum + record.bytes, 0)).to.equal(page.records.length > 0 ? page.bytes : 0);
        records.push(...page.records);
        empty = page.records.length === 0 ? empty + 1 : 0;
        iterator = page.next;
      }
      return records;
    };

    before(async () => {
      ({ table, streams } = await open());
      const KeySchema = [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ] as const;
      const AttributeDefinitions = [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
      ] as const;
      await table.call('CreateTable', { TableName, BillingMode: 'PAY_PER_REQUEST', KeySchema, AttributeDefinitions }, NEVER);
      const StreamSpecification = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' } as const;
      await table.call('UpdateTable', { TableName, StreamSpecification }, NEVER);
      const { Table } = await table.call('DescribeTable', { TableName }, NEVER);
      stream = await streams.describe(Table.LatestStreamArn ?? '', NEVER);
      source = {
        origin: 'stream',
        table: stream.table,
        region: stream.region,
        streamArn: stream.arn,
        streamCreatedAt: stream.createdAt,
        viewType: stream.viewType,
        keyNames: stream.keyNames,
        partition: stream.shards[0]?.shardId ?? '',
      };
    });

    it('describes a stream', async () => {
      expect(stream).to.deep.include({
        table: TableName,
        region: 'us-east-1',
        status: 'ENABLED',
        viewType: 'NEW_AND_OLD_IMAGES',
        keyNames: ['pk', 'sk'],
      });
      expect(stream.createdAt).to.be.closeTo(Date.now(), 120_000);
      expect(stream.servedAt).to.be.closeTo(Date.now(), 120_000);
      expect(stream.shards).to.have.length(1);
      expect(await streams.children(stream.arn, source.partition, NEVER)).to.deep.equal([]);
    });

    it('gives each change of a key in order, with its images', async () => {
      const key = { pk: { S: 'a' }, sk: { N: '10' } };
      const first = { ...EVERYTHING, ...key };
      const second = { ...key, n: { N: '2' } };
      await table.call('PutItem', { TableName, Item: first }, NEVER);
      await table.call('PutItem', { TableName, Item: second }, NEVER);
      await table.call('DeleteItem', { TableName, Key: key }, NEVER);
      const records = await readFrom({ type: 'TRIM_HORIZON' });
      expect(records.map(record => record.kind)).to.deep.equal(['insert', 'modify', 'remove']);
      expect(new Set(records.map(record => record.key))).to.deep.equal(new Set(['2:SaN1e1']));
      const [insert, modify, remove] = records;
      sameItem([insert?.before ?? null, insert?.after], [null, first]);
      sameItem([modify?.before, modify?.after], [first, second]);
      sameItem([remove?.before, remove?.after ?? null], [second, null]);
      for (const record of records) {
        expect(record.source).to.equal(source);
        expect(record.changedAt).to.be.closeTo(Date.now(), 120_000);
        sameItem(record.keys, key);
      }
    });

    it('goes on at and after a record', async () => {
      const all = await readFrom({ type: 'TRIM_HORIZON' });
      const [first, second] = all.map(record => record.token);
      if (first === undefined || second === undefined) throw new Error('two records were expected');
      expect((await readFrom({ type: 'AT_SEQUENCE_NUMBER', token: second }))[0]?.token).to.equal(second);
      expect((await readFrom({ type: 'AFTER_SEQUENCE_NUMBER', token: first }))[0]?.token).to.equal(second);
      expect(await readFrom({ type: 'LATEST' })).to.deep.equal([]);
    });

    if (strict) {
      it('tells a shard, a stream and a number that are gone', async () => {
        const gone = { ...source, partition: 'shardId-00000001000000000000-00000000' };
        expect(await streams.iterator(gone, { type: 'TRIM_HORIZON' }, NEVER)).to.deep.equal({ is: 'gone' });
        const unknown = { type: 'AFTER_SEQUENCE_NUMBER', token: '999999999999999999999' } as const;
        expect(await streams.iterator(source, unknown, NEVER)).to.deep.equal({ is: 'trimmed' });
        const other = stream.arn.replace(/stream\/.*$/, 'stream/2020-01-01T00:00:00.000');
        expect((await faultOf(streams.describe(other, NEVER))).class).to.equal('missing');
      });
    }

    it('carries any item that was written', async () => {
      const seed = 20_261_123;
      const written = fc
        .sample(randomItem, { numRuns: items, seed })
        .map((item, i) => ({ ...item, pk: { S: `random-${i}` }, sk: { N: '1' } }));
      for (let at = 0; at < written.length; at += 25) {
        const puts = written.slice(at, at + 25).map(Item => ({ PutRequest: { Item } }));
        await table.call('BatchWriteItem', { RequestItems: { [TableName]: puts } }, NEVER);
      }
      const read = new Map<string, Item | undefined>();
      for (const record of await readFrom({ type: 'TRIM_HORIZON' })) read.set(record.key, record.after);
      for (const item of written) sameItem(read.get(`${item.pk.S.length + 1}:S${item.pk.S}N1`), item);
    });
  });
}
