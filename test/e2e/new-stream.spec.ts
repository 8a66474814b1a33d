/**
 * A stream that is replaced by another: the table is made anew on a server whose sequence numbers begin again. The gap is kept for good, and the replica
 * follows the new table, although its numbers are lower than those it has seen.
 */
import { expect } from 'chai';
import { startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';
import { amount } from './numbers.ts';
import { closeShops, openShop } from './shop.ts';
import { getItem, makeTable, putItems } from './tables.ts';
import { idle, sinkOf, sleep, until } from './waiting.ts';

/** It looks for a new stream once a minute. */
const LONG = amount('LONG', 0) > 0;

describe('a new stream', function () {
  this.timeout(300_000);
  let own: Server | undefined;
  afterEach(async () => {
    await closeShops();
    await own?.stop();
    own = undefined;
  });

  for (const running of LONG ? [true, false] : [false]) {
    it(`after the table was made anew${running ? ' while the daemon runs' : ', and the daemon started again'}: a gap is kept, the replica follows`, async () => {
      own = await startDynamoDb();
      const { endpoint, port } = own;
      const at = { endpoint, credentials: { accessKeyId: 'own', secretAccessKey: 'own' } };
      const source = { region: 'us-east-1', table: 'orders', ...at };
      const shop = await openShop({
        sinks: ['eu'],
        source: at,
        make: async ({ replica }) => {
          await makeTable(source, { stream: 'NEW_AND_OLD_IMAGES' });
          await makeTable(replica);
        },
      });
      const { replica } = shop.places;
      const key = { customer: { S: 'c' }, order: { S: 'o' } };
      let daemon = await shop.open();
      await putItems(
        source,
        Array.from({ length: 20 }, (_, n) => ({ ...key, n: { N: String(n) } })),
      );
      await until('it is written', async () => (await getItem(replica, key))?.['n']?.['N'] === '19');
      await idle(daemon);
      if (!running) await daemon.stop();
      await own.stop();
      // The times of streams tell them apart.
      await sleep(1100);
      own = await startDynamoDb({ port });
      await makeTable(source, { stream: 'NEW_AND_OLD_IMAGES' });
      await putItems(source, [{ ...key, n: { N: '3' }, life: { S: 'second' } }]);
      if (!running) daemon = await shop.open();
      await until('the replica follows', async () => (await getItem(replica, key))?.['life']?.['S'] === 'second', 200_000);
      // The end of the old shard was not seen: it is lost too.
      expect((await sinkOf(daemon, 'eu'))?.gaps).equal(2);
      expect(daemon.log()).match(/"level":"error"[^\n]*records were lost: the stream of table orders was replaced/);
      const metrics = await (await fetch(`${shop.places.admin}/metrics`)).text();
      expect(metrics).match(/tidemark_gaps_total\{[^}]*reason="stream-replaced"[^}]*\} 1/);
    });
  }
});
