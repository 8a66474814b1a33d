/** What Kinesis's refusals mean for the sink: of a whole request, and of single records in an answer. */
import { type Failed, SinkFault } from '../../src/connector.ts';
import { withoutStop } from '../../src/model/sentence.ts';
import type { KinesisResult } from '../../src/ports/kinesis-api.ts';
import { ServiceFault } from '../../src/ports/service-fault.ts';

export type Action = 'kinesis:PutRecords' | 'kinesis:DescribeStreamSummary';

/** A fault of a request as a whole. */
export function requestFault(error: unknown, action: Action, stream: string): unknown {
  if (!(error instanceof ServiceFault)) return error;
  const what = `${action} on stream ${stream}: ${error.name}: ${withoutStop(error.message)}`;
  switch (error.class) {
    case 'denied':
      return new SinkFault('halt', `${what}. Allow ${action}${keyAction(error.name)} on stream ${stream}.`, { heals: true, cause: error });
    case 'missing':
      return new SinkFault('halt', `${what}. Create stream ${stream}, or name another.`, { heals: true, cause: error });
    case 'invalid':
      // Of a request with records one of them is bad; a question about the stream has only its name to be bad.
      if (action === 'kinesis:PutRecords') return new SinkFault('reject', what, { judged: true, cause: error });
      return new SinkFault('halt', what, { cause: error });
    default:
      return new SinkFault('retry', what, { cause: error });
  }
}

/** A stream with a key of the customer's needs that key too. */
function keyAction(name: string): string {
  return name.startsWith('KMS') ? ', and kms:GenerateDataKey on the stream’s key (it must be enabled),' : '';
}

/** A record that was not taken is tried again whatever the reason: only a request as a whole is refused for good. */
export function recordFailure(result: KinesisResult | undefined, index: number): Failed | undefined {
  if (result === undefined) return { index, disposition: 'retry', reason: 'the answer does not say what became of the record' };
  if (result.ErrorCode === undefined) return undefined;
  return {
    index,
    disposition: 'retry',
    reason: `${result.ErrorCode}: ${result.ErrorMessage ?? 'no reason given'}`.replaceAll(/\s+/g, ' '),
  };
}

export function isThrottle({ ErrorCode }: KinesisResult): boolean {
  return ErrorCode === 'ProvisionedThroughputExceededException';
}
