/** `StreamApi` by both clients against the local servers, whose streams differ from the service and from each other. */
import { type AwsClients, awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import type { AwsOptions } from '../../src/ports/table-api.ts';
import { describeStreamApi, type StreamServer } from '../contract/stream-api-suite.ts';
import { keptLog } from '../fakes/lease-world.ts';
import { type DynamoDbOptions, startDynamoDb } from '../servers/dynamodb.ts';
import type { Server } from '../servers/server.ts';

describe('streams by both clients', function () {
  this.timeout(120_000);

  for (const version of ['3.3.0', '1.25.1', 'dynoxide'] satisfies DynamoDbOptions['version'][]) {
    describe(`of ${version}`, () => {
      let server: Server;
      let clients: AwsClients;
      const open = (client: 'fast' | 'sdk'): StreamServer => {
        const credentials = { accessKeyId: `streams${client}`, secretAccessKey: 's' };
        const options: AwsOptions = { endpoint: server.endpoint, region: 'us-east-1', client, credentials };
        return { table: clients.table(options), streams: clients.streams(options) };
      };

      before(async () => {
        server = await startDynamoDb({ version });
        clients = awsClients({ clock: systemClock, random: systemRandom, log: keptLog() });
      });
      after(async () => {
        await clients.close();
        await server.stop();
      });

      for (const client of ['fast', 'sdk'] as const) {
        describeStreamApi(`${client}-${version.replaceAll('.', '')}`, async () => open(client), {
          items: version === 'dynoxide' ? 100 : 300,
          strict: version !== 'dynoxide',
        });
      }
    });
  }
});
