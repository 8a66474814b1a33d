/**
 * `npm run stack`: the local servers alone, with table, stream, topic and bucket made, and the settings to run the daemon by hand beside them. Ctrl-C
 * stops them and forgets what they held.
 */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../servers/child.ts';
import { asked } from './asked.ts';
import { startWorld, type World } from './world.ts';

const ending = asked();
const folder = temporaryFolder('stack');
console.log('Starting local servers (what is not in the cache yet is fetched once) ...\n');
const world = await Promise.race([startWorld(line => console.log(`  ${line}`)), ending]);
if (typeof world === 'string') process.exit(128 + constants.signals[world]);

const file = join(folder, 'settings.yaml');
writeFileSync(file, world.settings);
console.log(`\n${instructions(world, file)}`);

await ending;
console.log('\nStopping ...');
await world.stop();
await removeFolder(folder);
process.exit(0);

function instructions({ settings, places, leftOut }: World, file: string): string {
  const { table, region, endpoint, credentials } = places.source;
  const aws = `AWS_ACCESS_KEY_ID=${credentials.accessKeyId} AWS_SECRET_ACCESS_KEY=${credentials.secretAccessKey} AWS_REGION=${region}`;
  return `Settings, also in ${file}:

${settings.replace(/^/gm, '  ').trimEnd()}
${leftOut ? `\n${leftOut}.\n` : ''}
Run the daemon in another terminal:
  npm run --silent tidemark -- run -c ${file}
and change something:
  ${aws} aws dynamodb put-item --endpoint-url ${endpoint} --table-name ${table} --item '{"customer":{"S":"c1"},"order":{"S":"o1"}}'
Its status: ${places.admin}/status

Ctrl-C stops the servers.`;
}
