/**
 * S3 by Adobe's S3Mock: honours conditional puts and checksums. Path style, any access key. (It answers 304 where a conditional multipart completion
 * should be refused with 412.) Its needless second connector takes any port.
 */
import { join } from 'node:path';
import { javaCommand, javaOptions, needJava } from './java.ts';
import { mavenJar } from './packages.ts';
import { HOST } from './ports.ts';
import { type Server, startServer } from './server.ts';

const VERSION = '4.8.0';
/** Its name in the cache. */
export const S3_CACHE = `s3mock-${VERSION}`;

export async function startS3(options: { port?: number } = {}): Promise<Server> {
  await needJava('S3Mock');
  const folder = await mavenJar(`com.adobe.testing:s3mock:${VERSION}:jar:exec`);
  return startServer({
    name: 's3',
    port: options.port,
    command: javaCommand(),
    args: (port, own) => [
      ...javaOptions(256, own),
      '-jar',
      join(folder, `s3mock-${VERSION}-exec.jar`),
      `--server.address=${HOST}`,
      '--server.ssl.enabled=false',
      `--server.port=${port}`,
      '--com.adobe.testing.s3mock.httpPort=0',
      '--spring.main.banner-mode=off',
      `--com.adobe.testing.s3mock.root=${join(own, 'store')}`,
    ],
  });
}
