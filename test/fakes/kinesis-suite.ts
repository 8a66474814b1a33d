/** What the kinesis connector tells the contract suite of itself, be its target the stub or a server; both are reached through the real clients. */
import { awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { Image } from '../../src/model/item.ts';
import type { AwsOptions } from '../../src/ports/table-api.ts';
import type { Seen, SinkPromises, SinkTarget } from '../contract/sink/suite.ts';
import { keptLog } from './lease-world.ts';
import { StubKinesis } from './stub-kinesis.ts';

export const CREDENTIALS = { accessKeyId: 'kinesis', secretAccessKey: 'secret' };

export const KINESIS_PROMISES: SinkPromises = {
  keeps: 'log',
  partialFailure: 'by-index',
  replay: 'duplicates',
  tombstones: false,
  exactImages: true,
  recordLimit: { fits: 1_000_000, tooLarge: 1_048_600 },
};

/** A record in the form of Kinesis Data Streams for DynamoDB. */
export function seenIn(data: string): Seen {
  const { eventID, dynamodb } = JSON.parse(data) as { eventID: string; dynamodb: { NewImage?: Image } };
  return { eventId: eventID, after: dynamodb.NewImage };
}

/** Clients of a case's own, so that what one case does to its connections is no other's affair. */
export function ownClients(): {
  kinesis: (options: AwsOptions) => ReturnType<ReturnType<typeof awsClients>['kinesis']>;
  close(): Promise<void>;
} {
  return awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
}

/** A stub of its own for each case. */
export async function stubTarget(options: object = {}): Promise<SinkTarget> {
  const stub = new StubKinesis();
  await stub.start();
  stub.create('changes');
  const clients = ownClients();
  const be = (trouble: StubKinesis['trouble']) => async () => {
    stub.trouble = trouble;
  };
  return {
    options: { stream: 'changes', region: 'us-east-1', endpoint: stub.endpoint, credentials: CREDENTIALS, ...options },
    host: { kinesis: clients.kinesis },
    resource: 'changes',
    action: 'kinesis:PutRecords',
    readBack: async () => stub.records('changes').map(({ data }) => seenIn(data)),
    faults: {
      hang: be('hang'),
      refuse: be('drop'),
      loseAnswers: be('lose-answers'),
      throttle: be('throttle-records'),
      deny: be({ refuse: 'AccessDeniedException' }),
      remove: async () => stub.drop('changes'),
      failRecords: async records => {
        stub.failing = records.map(({ eventId }) => eventId);
      },
    },
    heal: async () => {
      stub.trouble = undefined;
      stub.failing = [];
      if (stub.records('changes').length === 0) stub.create('changes');
    },
    stop: async () => {
      await clients.close();
      await stub.stop();
    },
  };
}
