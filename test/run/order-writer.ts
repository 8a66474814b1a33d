/**
 * The demo's shop: customers place orders, orders move on, some are cancelled. Every write is exactly one change in the stream, and the item says which
 * (`seq`, counting up per order) and when it was made (`writtenAt`, epoch ms), so that targets can be checked and lag measured without the stream's own
 * times. What was written is remembered as the truth that the targets are held against.
 */
import { type AttributeValue, BatchWriteItemCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Places } from './world-settings.ts';
import { ORDER_KEY } from './world-targets.ts';

export interface OrderWriter {
  /** Every change made, per order, in order: `3` is the third put, `4d` a removal of what the third put left. */
  readonly history: ReadonlyMap<string, readonly string[]>;
  readonly written: number;
  /** The newest put: on its way, or just made. */
  readonly latest: { readonly name: string; readonly seq: number; readonly writtenAt: number } | undefined;
  /** Writes so many changes. Stops early when the signal aborts. */
  write(changes: number, options: { perSecond: number; signal: AbortSignal }): Promise<void>;
  close(): void;
}

interface Order {
  readonly customer: string;
  readonly order: string;
  seq: number;
  exists: boolean;
}

const CUSTOMERS = 200;
const ORDERS_EACH = 8;
const BATCH = 25;
const WRITERS = 4;
const STATES = ['placed', 'paid', 'packed', 'shipped', 'delivered'];

/** `padBytes`: so much more in every item. */
export function orderWriter({ region, endpoint, credentials, table }: Places['source'], { padBytes = 0 } = {}): OrderWriter {
  const client = new DynamoDBClient({ region, endpoint, credentials, maxAttempts: 5 });
  const history = new Map<string, string[]>();
  // Each writer has customers of its own, so the changes of an order are made one after the other.
  const lanes = Array.from({ length: WRITERS }, (_, lane) => ordersOf(lane));
  const padding = padBytes > 0 ? { padding: { S: 'x'.repeat(padBytes) } } : {};
  let written = 0;
  let latest: OrderWriter['latest'];
  const writeBatch = async (orders: readonly Order[]) => {
    const requests = orders.map(order => change(order, history, padding));
    const newest = orders.findLast(({ exists }) => exists);
    if (newest !== undefined) latest = { name: nameOf(newest), seq: newest.seq, writtenAt: Date.now() };
    let left: WriteRequest[] = requests;
    while (left.length > 0) {
      const answer = await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: left } }));
      left = answer.UnprocessedItems?.[table] ?? [];
    }
    written += orders.length;
  };
  return {
    history,
    get written() {
      return written;
    },
    get latest() {
      return latest;
    },
    async write(changes, { perSecond, signal }) {
      const startedAt = Date.now();
      let claimed = 0;
      const work = async (lane: readonly Order[], offset: number) => {
        for (let turn = offset; claimed < changes && !signal.aborted; turn += 1) {
          const count = Math.min(BATCH, changes - claimed, Math.max(1, Math.ceil(perSecond / 20)));
          claimed += count;
          await pause(startedAt + (claimed / perSecond) * 1000 - Date.now(), signal);
          await writeBatch(pick(lane, turn, count));
        }
      };
      await Promise.all(lanes.map((lane, i) => work(lane, written + i)));
    },
    close: () => client.destroy(),
  };
}

const nameOf = ({ customer, order }: Order): string => `${customer}/${order}`;

function ordersOf(lane: number): Order[] {
  const orders: Order[] = [];
  for (let customer = lane; customer < CUSTOMERS; customer += WRITERS) {
    for (let n = 0; n < ORDERS_EACH; n += 1) orders.push({ customer: `c${customer}`, order: `o${n}`, seq: 0, exists: false });
  }
  return orders;
}

/** So many different orders, another choice each turn; some orders are busier than others. */
function pick(lane: readonly Order[], turn: number, count: number): Order[] {
  const chosen = new Set<Order>();
  for (let i = 0; chosen.size < count; i += 1) {
    const spread = i % 3 === 0 ? lane.length : Math.ceil(lane.length / 5);
    const order = lane[(turn * 7919 + i * 104_729) % spread] ?? lane[i % lane.length];
    if (order === undefined || chosen.has(order)) {
      const next = lane[(turn + i) % lane.length];
      if (next !== undefined) chosen.add(next);
    } else chosen.add(order);
  }
  return [...chosen];
}

function change(order: Order, history: Map<string, string[]>, padding: Record<string, AttributeValue>): WriteRequest {
  const key = { [ORDER_KEY.hash]: { S: order.customer }, [ORDER_KEY.range]: { S: order.order } };
  const name = nameOf(order);
  const known = history.get(name) ?? [];
  history.set(name, known);
  if (order.exists && order.seq % 17 === 16) {
    known.push(`${order.seq}d`);
    order.exists = false;
    order.seq += 1;
    return { DeleteRequest: { Key: key } };
  }
  order.seq += 1;
  order.exists = true;
  known.push(String(order.seq));
  return { PutRequest: { Item: { ...key, ...contents(order), ...padding } } };
}

function contents(order: Order): Record<string, AttributeValue> {
  return {
    seq: { N: String(order.seq) },
    writtenAt: { N: String(Date.now()) },
    state: { S: STATES[order.seq % STATES.length] ?? 'placed' },
    // A number that a JavaScript number cannot hold: it has to arrive digit for digit.
    total: { N: `${order.seq}.${'1234567890'.repeat(3)}1` },
    lines: { L: [{ M: { sku: { S: `sku-${order.seq % 50}` }, quantity: { N: '2' } } }] },
    tags: { SS: ['demo', `v${order.seq % 3}`] },
    signature: { B: Buffer.from(`${order.customer}${order.seq}`) },
  };
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  ms <= 0 || signal.aborted
    ? Promise.resolve()
    : new Promise(resolve => {
        const timer = setTimeout(done, ms);
        function done() {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        }
        signal.addEventListener('abort', done);
      });
