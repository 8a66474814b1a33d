/** Kinesis by kinesalite: fast, strict about limits. Clients must speak HTTP/1.1 to it (`NodeHttpHandler`). */
import { npmInstalled } from './packages.ts';
import { HOST } from './ports.ts';
import { type Server, startServer } from './server.ts';

// Not its own command line, which listens on every address. It throws where a client leaves in the middle of a request: that may not end it.
const PROGRAM = `
process.on('uncaughtException', error => console.error(error));
const [, folder, port] = process.argv;
require(folder)({ createStreamMs: 50, deleteStreamMs: 50, updateStreamMs: 50, shardLimit: 100 }).listen(Number(port), '${HOST}');
`;

export async function startKinesis(options: { port?: number } = {}): Promise<Server> {
  const folder = await npmInstalled('kinesalite', '3.3.3');
  return startServer({
    name: 'kinesis',
    port: options.port,
    command: process.execPath,
    args: port => ['--input-type=commonjs', '-e', PROGRAM, folder, String(port)],
  });
}
