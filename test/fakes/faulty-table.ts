/** A table client with a target's faults: it hangs, cannot be reached, loses answers, throttles, fails some records, denies writes. */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import type { TableApi, TableOperations } from '../../src/ports/table-api.ts';
import type { Faults } from '../contract/sink/suite.ts';

type Mode = Exclude<keyof Faults, 'failRecords' | 'remove'> | 'pass';

/** What a role may be denied while it may still look. */
const WRITES = new Set<keyof TableOperations>([
  'PutItem',
  'DeleteItem',
  'BatchWriteItem',
  'BatchExecuteStatement',
  'TransactWriteItems',
  'UpdateItem',
]);

const THROTTLED = { Code: 'ThrottlingError', Message: 'Rate exceeded' };

export interface FaultyTable {
  readonly api: TableApi;
  readonly faults: Omit<Faults, 'remove'>;
  heal(): void;
}

export function faultyTable(tables: TableApi): FaultyTable {
  let mode: Mode = 'pass';
  let victims: readonly ChangeRecord[] = [];
  const into = (next: Mode) => async () => {
    mode = next;
  };
  const hit = (part: unknown) => victims.some(record => mentions(part, record));

  const api: TableApi = {
    call: async (name, request, signal) => {
      if (mode === 'hang') return hanging(signal);
      if (mode === 'refuse') throw fault('ECONNREFUSED', 'network');
      if (mode === 'throttle' && name !== 'DescribeTable') throw fault('ThrottlingException', 'throttled');
      if (mode === 'deny' && WRITES.has(name)) throw fault('AccessDeniedException', 'denied');
      if (!hit(request)) {
        const answer = await tables.call(name, request, signal);
        if (mode === 'loseAnswers') throw fault('ECONNRESET', 'network');
        return answer;
      }
      return partly(name, request, signal) as never;
    },
  };

  /** Fails what is of the victims, and does the rest. */
  async function partly(name: keyof TableOperations, request: unknown, signal: AbortSignal): Promise<unknown> {
    if (name === 'BatchExecuteStatement') {
      const { Statements } = request as TableOperations['BatchExecuteStatement'][0];
      const { Responses } = await tables.call(name, { Statements: Statements.filter(each => !hit(each)) }, signal);
      const answers = [...Responses];
      return { Responses: Statements.map(each => (hit(each) ? { Error: THROTTLED } : answers.shift())) };
    }
    if (name === 'BatchWriteItem') {
      const { RequestItems } = request as TableOperations['BatchWriteItem'][0];
      const [[table, writes] = ['', []]] = Object.entries(RequestItems);
      await tables.call(name, { RequestItems: { [table]: writes.filter(each => !hit(each)) } }, signal);
      return { UnprocessedItems: { [table]: writes.filter(hit) } };
    }
    throw fault('ThrottlingException', 'throttled');
  }

  return {
    api,
    faults: {
      hang: into('hang'),
      refuse: into('refuse'),
      loseAnswers: into('loseAnswers'),
      throttle: into('throttle'),
      deny: into('deny'),
      failRecords: async records => {
        victims = records;
      },
    },
    heal: () => {
      mode = 'pass';
      victims = [];
    },
  };
}

function fault(name: string, kind: ServiceFault['class']): ServiceFault {
  return new ServiceFault(name, 'the test says so', { class: kind });
}

function hanging(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(fault('Aborted', 'aborted'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Every key value stands in it. */
function mentions(part: unknown, { keys }: ChangeRecord): boolean {
  const text = JSON.stringify(part);
  return Object.values(keys).every(value => text.includes(JSON.stringify(value)));
}
