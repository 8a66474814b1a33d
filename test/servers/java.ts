/** Whether the Java servers (DynamoDB Local, Kafka, S3Mock) can run here, and the options that keep them small. */
import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const NEEDED = 17;

/** The `java` of JAVA_HOME, else of the path. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/** Options for every Java server: a small heap, a collector that needs no threads of its own, temporary files in the server's folder. */
export function javaOptions(heapMiB: number, folder: string): string[] {
  return [`-Xmx${heapMiB}m`, '-XX:+UseSerialGC', `-Djava.io.tmpdir=${folder}`, '-XX:-UsePerfData', '-Djava.net.preferIPv4Stack=true'];
}

export const classPath = (folder: string): string => [join(folder, '*')].join(delimiter);

let probed: Promise<boolean> | undefined;

/** Is there a Java that is new enough. */
export function javaAvailable(): Promise<boolean> {
  probed ??= promisify(execFile)(javaCommand(), ['-version'])
    .then(({ stderr }) => Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) >= NEEDED)
    .catch(() => false);
  return probed;
}

/** Is Maven there, which fetches Kafka and S3Mock where they are not in the cache. */
export function mavenAvailable(): Promise<boolean> {
  return promisify(execFile)('mvn', ['-v']).then(
    () => true,
    () => false,
  );
}

export async function needJava(server: string): Promise<void> {
  if (!(await javaAvailable())) throw new Error(`${server} needs Java ${NEEDED} or newer: install it, or set JAVA_HOME`);
}
