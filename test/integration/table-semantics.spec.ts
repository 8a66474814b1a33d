/** What the fake of the tables claims, asked of DynamoDB Local through both clients. */
import { awsClients } from '../../src/adapters/aws-clients.ts';
import { systemClock, systemRandom } from '../../src/adapters/system.ts';
import { describeTables } from '../contract/table-semantics-suite.ts';
import { silentLog } from '../fakes/pipeline-world.ts';
import { startDynamoDb } from '../servers/dynamodb.ts';

for (const client of ['fast', 'sdk'] as const) {
  describeTables(`DynamoDB Local by the ${client} client`, async () => {
    const server = await startDynamoDb();
    const clients = awsClients({ clock: systemClock, random: systemRandom, log: silentLog });
    const credentials = { accessKeyId: 'semantics', secretAccessKey: 'x' };
    return {
      api: clients.table({ region: 'us-east-1', endpoint: server.endpoint, credentials, client }),
      close: async () => {
        await clients.close();
        await server.stop();
      },
    };
  });
}
