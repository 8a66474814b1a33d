/** `kinesis`: every change as a record of a Kinesis stream, in order per key also under partial failure. */
import type { Connector } from '../../src/connector.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';
import { RECORD_BYTES, REQUEST_BYTES, REQUEST_RECORDS } from './entries.ts';
import { type KinesisOptions, optionsSchema } from './options.ts';
import { faultOf, kinesisSink } from './sink.ts';

const connector: Connector<KinesisOptions> = {
  schema: optionsSchema,
  traits: options => ({
    order: options.order,
    coalesce: 'never',
    oncePerKey: options.order === 'key',
    inFlight: 4,
    batch: { records: REQUEST_RECORDS, bytes: REQUEST_BYTES / 2, waitMs: 0 },
    timeoutMs: 10_000,
  }),
  async open(options, host) {
    const { region, endpoint, credentials, roleArn, externalId, client } = options;
    const api = host.kinesis({ region, endpoint, credentials, roleArn, externalId, client });
    try {
      const stream = await api.describe(options.stream, host.signal);
      return kinesisSink(api, options, { host, recordBytes: stream.maxRecordBytes ?? RECORD_BYTES });
    } catch (error) {
      throw error instanceof ServiceFault ? faultOf(error, `kinesis:DescribeStreamSummary on stream ${options.stream}`) : error;
    }
  },
};

export default connector;
