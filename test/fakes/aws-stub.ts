/**
 * A loopback server that speaks as much of AWS's JSON protocols as a script tells it to: any answer, none, half of one, or a hang-up. It counts
 * requests and connections, says how connections ended, and can check a Signature Version 4 as the service does.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { crc32 } from 'node:zlib';

export interface StubRequest {
  /** Operation without its prefix, as `PutItem`. */
  readonly operation: string;
  readonly target: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
  /** How many requests came before. */
  readonly index: number;
}

/** `hang`: no answer ever. `drop`: the connection is closed instead of an answer, or after the first half of it. */
export type StubAnswer =
  | { readonly json?: unknown; readonly text?: string; readonly status?: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly hang: true }
  | { readonly drop: 'whole' | 'half' };

export interface AwsStub {
  readonly endpoint: string;
  readonly requests: readonly StubRequest[];
  /** Of each connection that has ended: by FIN or by RST. */
  readonly endings: readonly ('closed' | 'reset')[];
  readonly openConnections: number;
  readonly connections: number;
  stop(): Promise<void>;
}

export async function startAwsStub(
  script: (request: StubRequest) => StubAnswer | Promise<StubAnswer>,
  tls?: { readonly key: string; readonly cert: string },
): Promise<AwsStub> {
  const requests: StubRequest[] = [];
  const endings: ('closed' | 'reset')[] = [];
  const open = new Set<Socket>();
  let connections = 0;
  const listener: RequestListener = async (incoming, response) => {
    const request = await requestFrom(incoming, requests.length).catch(() => undefined);
    if (request === undefined) return;
    requests.push(request);
    give(response, await script(request));
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections += 1;
    open.add(socket);
    let reset = false;
    socket.on('error', error => {
      reset ||= 'code' in error && error.code === 'ECONNRESET';
    });
    socket.on('close', () => {
      open.delete(socket);
      endings.push(reset ? 'reset' : 'closed');
    });
  });
  await new Promise<void>(resolve => server.listen(0, 'localhost', resolve));
  return {
    endpoint: `${tls === undefined ? 'http' : 'https'}://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    endings,
    get openConnections() {
      return open.size;
    },
    get connections() {
      return connections;
    },
    stop: () =>
      new Promise<void>(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function requestFrom(incoming: IncomingMessage, index: number): Promise<StubRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const target = String(incoming.headers['x-amz-target'] ?? '');
  return {
    operation: target.replace(/^.*\./, ''),
    target,
    path: incoming.url ?? '',
    headers: incoming.headers,
    text,
    json: text.startsWith('{') ? JSON.parse(text) : {},
    index,
  };
}

function give(response: ServerResponse, answer: StubAnswer): void {
  if ('hang' in answer) return;
  if ('drop' in answer) {
    if (answer.drop === 'half') {
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '100' });
      response.write('{"Item":{"pk":{"S":');
    }
    setImmediate(() => response.destroy());
    return;
  }
  const body = Buffer.from(answer.text ?? JSON.stringify(answer.json ?? {}));
  response.writeHead(answer.status ?? 200, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': String(body.length),
    'x-amz-crc32': String(crc32(body)),
    ...answer.headers,
  });
  response.end(body);
}

/** A refusal as DynamoDB words it. */
export function refusal(name: string, message = 'no', more: object = {}): StubAnswer {
  return { status: 400, json: { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message, ...more } };
}

/** The signature that the service would compute for a request as it arrived. */
export function expectedSignature(request: StubRequest, secretAccessKey: string): { readonly given: string; readonly expected: string } {
  const match = /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(request.headers.authorization ?? '');
  const [, scope = '', names = '', given = ''] = match ?? [];
  const headers = names.split(';').map(name => `${name}:${String(request.headers[name]).trim().replace(/ +/g, ' ')}\n`);
  const path = request.path.split('/').map(encodeURIComponent).join('/');
  const canonical = ['POST', path, '', headers.join(''), names, sha256(request.text)].join('\n');
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  return {
    given,
    expected: createHmac('sha256', signingKey(secretAccessKey, scope.split('/')))
      .update(text)
      .digest('hex'),
  };
}

export function signingKey(secretAccessKey: string, scope: readonly string[]): Buffer {
  return scope.reduce((key, part) => createHmac('sha256', key).update(part).digest(), Buffer.from(`AWS4${secretAccessKey}`));
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
