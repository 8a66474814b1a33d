/**
 * The admin port: a small HTTP server around `answers`. Bounds keep a hostile or slow client from costing the daemon anything: headers over 16 KiB
 * are 431, bodies over 64 KiB 413, connections are few and short, with one question at a time, and a new one is always let in.
 * Everything is served as text under a policy without scripts.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '../ports/log.ts';
import { type AdminParts, answer } from './answers.ts';

export interface AdminServer {
  /** Where it listens, for people: `http://127.0.0.1:9464`. */
  readonly address: string;
  close(): Promise<void>;
}

const BODY_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 128;
/** Times in ms. */
const BOUNDS = {
  maxHeaderSize: 16 * 1024,
  requestTimeout: 15_000,
  headersTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** What the system says, for whoever has to mend it. */
const MENDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; set admin.port to a free one, or to 0 for any free one',
  EACCES: 'the port is not allowed to this user; set admin.port to one from 1024 on',
  EADDRNOTAVAIL: 'this machine has no such address; set admin.host to one that it has, or to 0.0.0.0 for all',
  ENOTFOUND: 'there is no such host name; set admin.host to an address of this machine, or to 0.0.0.0 for all',
};

/** Port 0: any free port. Rejects when the port cannot be had, with the address in the message. */
export function startAdmin(
  at: { host: string; port: number; token: string | undefined },
  parts: Omit<AdminParts, 'isToken'> & { readonly log: Log },
): Promise<AdminServer> {
  const isToken = at.token === undefined || at.token === '' ? undefined : sameText(at.token);
  const server = createServer(BOUNDS);
  // Also for whoever does not read what he has asked for.
  server.timeout = BOUNDS.requestTimeout;
  const busy = new Set<Socket>();
  const open = new Set<Socket>();
  server.on('connection', socket => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (open.size <= MAX_CONNECTIONS) return;
    // The oldest that asks nothing makes room, so that many who only connect cannot keep a probe out.
    const idle = [...open].find(other => !busy.has(other)) ?? socket;
    idle.destroy();
  });
  server.on('request', (request, response) => {
    const { socket } = request;
    // Answers to what is asked ahead would wait in memory.
    if (busy.has(socket)) return void socket.destroy();
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    serve(request, response, { ...parts, isToken }).catch(error => {
      parts.log.error({ error: String(error) }, 'an admin request failed');
      if (!response.headersSent) response.writeHead(500, HEADERS).end('failed\n');
    });
  });
  return new Promise((resolve, reject) => {
    const host = at.host.includes(':') ? `[${at.host}]` : at.host;
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(`the admin address ${host}:${at.port} cannot be opened: ${MENDS[error.code ?? ''] ?? error.message}`)),
    );
    server.listen(at.port, at.host, () => {
      const { port } = server.address() as AddressInfo;
      resolve({ address: `http://${host}:${port}`, close: () => closed(server) });
    });
    server.unref();
  });
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; script-src 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

async function serve(request: IncomingMessage, response: ServerResponse, parts: AdminParts): Promise<void> {
  if (!(await bodyFits(request))) {
    response.writeHead(413, { ...HEADERS, connection: 'close' }).end('the body is over 64 KiB\n');
    return;
  }
  const [path = '/'] = (request.url ?? '/').split('?');
  const given = await answer({ method: request.method ?? 'GET', path, authorization: request.headers.authorization }, parts);
  response.writeHead(given.status, { ...HEADERS, 'content-type': given.type, ...(given.allow !== undefined && { allow: given.allow }) });
  response.end(request.method === 'HEAD' ? undefined : given.body);
}

/** Reads and forgets the body: no path takes one. */
async function bodyFits(request: IncomingMessage): Promise<boolean> {
  if (Number(request.headers['content-length'] ?? 0) > BODY_BYTES) return false;
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES) return false;
  }
  return true;
}

/** Compares digests, so that neither the length nor the place of the first difference shows in the time taken. */
function sameText(secret: string): (offered: string) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const wanted = digest(secret);
  return offered => timingSafeEqual(wanted, digest(offered));
}

function closed(server: ReturnType<typeof createServer>): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
