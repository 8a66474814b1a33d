/** Opens the sink: looks at the streams, so that one that is missing is said before the first record comes. */
import { type Host, SinkFault } from '../../src/connector.ts';
import type { KinesisOptions } from './options.ts';
import { RecordLimits } from './record-limits.ts';
import { KinesisSink, streamFor } from './sink.ts';

export async function openKinesis(options: KinesisOptions, host: Host): Promise<KinesisSink> {
  const { region, endpoint, credentials, roleArn, externalId, client } = options;
  const api = host.kinesis({ region, endpoint, credentials, roleArn, externalId, client });
  const limits = new RecordLimits(api, host);
  for (const stream of new Set(host.sources.map(({ table }) => streamFor(options.stream, table)))) {
    try {
      await limits.look(stream, host.signal);
    } catch (error) {
      // Only what would stop the writes too keeps the sink from opening: these have retries of their own.
      if (!(error instanceof SinkFault) || error.disposition !== 'retry' || host.signal.aborted) throw error;
      host.log.warn({ stream, error: error.message }, 'the stream could not be looked at; writing begins all the same');
    }
  }
  return new KinesisSink({ api, options, host, limits });
}
