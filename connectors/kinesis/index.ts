/** Kinesis: every change as a record of a stream, in order per item also where a request fails in part, at least once. */
import type { Connector } from '../../src/connector.ts';
import { REQUEST_RECORDS } from './entries.ts';
import { openKinesis } from './open.ts';
import { type KinesisOptions, optionsSchema } from './options.ts';

const kinesis: Connector<KinesisOptions> = {
  schema: optionsSchema,
  traits: ({ order }) => ({
    order,
    coalesce: 'never',
    oncePerKey: order === 'key',
    inFlight: 4,
    // Less than half a request: encoding adds to what is counted here. A lone record does not wait; under load batches fill while others are in flight.
    batch: { records: REQUEST_RECORDS, bytes: 4 * 1024 * 1024, waitMs: 0 },
    timeoutMs: 10_000,
  }),
  open: openKinesis,
};

export default kinesis;
