/**
 * A gate before an AWS-like server: it lets requests through, or answers them itself as a service does that refuses. It stands where no local server can
 * be made to deny, or to find a signature too old.
 */
import { createServer, request } from 'node:http';
import { HOST } from '../servers/ports.ts';
import type { Server } from '../servers/server.ts';

export interface Refusal {
  readonly status: number;
  readonly body: string;
}

export interface Gate {
  readonly endpoint: string;
  /** Told each request's operation (`PutItem`, or method and path), it refuses or lets through. */
  judge: (operation: string) => Refusal | undefined;
  stop(): Promise<void>;
}

/** As DynamoDB and Kinesis say it. */
export const jsonRefusal = (name: string, message: string): Refusal => ({
  status: 400,
  body: JSON.stringify({ __type: `com.amazon.coral.service#${name}`, message }),
});

/** As S3 says it. */
export const xmlRefusal = (name: string, message: string): Refusal => ({
  status: 403,
  body: `<?xml version="1.0"?><Error><Code>${name}</Code><Message>${message}</Message></Error>`,
});

export async function startGate(behind: Server): Promise<Gate> {
  const server = createServer((incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target'] ?? `.${incoming.method} ${incoming.url}`).replace(/^[^.]*\./, '');
    const refusal = gate.judge(operation);
    if (refusal) {
      incoming.resume().on('end', () => outgoing.writeHead(refusal.status).end(refusal.body));
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ host: HOST, port: behind.port, method, path: url, headers }, answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    for (const side of [incoming, onward]) side.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, HOST, resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const gate: Gate = {
    endpoint: `http://${HOST}:${port}`,
    judge: () => undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
  return gate;
}
