/**
 * The connections of the fast client: one undici pool for each service and address, shared by all that talk to it. Reads of streams have pools of
 * their own even where one server answers for everything, so that they never wait behind writes.
 *
 * A connection that was idle for twenty seconds is closed and not used again: middleboxes forget idle connections without a word, and the next
 * request over such a one would hang until its timeout. An aborted request resets its connection instead of closing it: a close lets the kernel
 * go on delivering what we sent to a server that hangs, and such a write could then be done long after a newer one. (Under TLS it is closed: Node
 * crashes when the socket under a TLS connection is reset.)
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { buildConnector, errors, Pool } from 'undici';
import type { Ms } from '../model/units.ts';
import { ServiceFault } from '../ports/service-fault.ts';

const IDLE_MS: Ms = 20_000;
const CONNECT_MS: Ms = 5_000;
/** A backstop only: callers bring a signal with a shorter patience. */
const ANSWER_MS: Ms = 60_000;
/** More requests than this to one address wait; a sink has at most 64 in flight for each shard. */
const MOST_CONNECTIONS = 512;

export class FastConnections {
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  pool(service: string, origin: string): Pool {
    if (this.#closed) throw new ServiceFault('ClientClosed', 'the AWS clients are closed', { class: 'aborted' });
    const name = `${service} ${origin}`;
    let pool = this.#pools.get(name);
    if (pool === undefined) {
      pool = new Pool(origin, {
        connections: MOST_CONNECTIONS,
        pipelining: 1,
        connect: connectForReset(),
        keepAliveTimeout: IDLE_MS,
        keepAliveMaxTimeout: IDLE_MS,
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      });
      this.#pools.set(name, pool);
    }
    return pool;
  }

  /** Breaks what is in flight. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(Array.from(this.#pools.values(), pool => pool.destroy()));
  }
}

function connectForReset(): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_MS, keepAlive: true, keepAliveInitialDelay: 10_000 });
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      resetWhenBroken(socket);
      callback(null, socket);
    });
}

/** undici destroys a connection with an error when its request was aborted or its answer made no sense, and without one when it is done with it. */
function resetWhenBroken(socket: Socket): void {
  if (socket instanceof TLSSocket) return;
  const destroy = socket.destroy.bind(socket);
  socket.destroy = error => {
    if (error === undefined || socket.destroyed || isOrderlyEnd(error)) return destroy(error);
    socket.destroy = destroy;
    socket.emit('error', error);
    return socket.resetAndDestroy();
  };
}

/** undici ends idle and finished connections with a note as well, which differs from that of an abort in its text only. */
function isOrderlyEnd(error: Error): boolean {
  return error instanceof errors.InformationalError && error.message !== 'aborted';
}
