/**
 * The sockets of one Kafka client, so that it can be ended for certain: kafkajs' own `disconnect` waits for requests that may never be answered (K6).
 * A reset throws away what the kernel still holds for sending, so once `destroy` has returned, nothing more leaves this process; and no new socket
 * is given out after it. Keep-alive probes find a peer that has gone, and keep a middlebox from forgetting a connection that idles.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 15_000;

/** What a client says that we have ended ourselves; nothing to log. */
export const DESTROYED = 'this client was destroyed';

export class Sockets {
  readonly #raw = new Set<Socket>();
  /** Not connected yet, or still in the TLS handshake: kafkajs waits for them with a timer. */
  readonly #unready = new Set<Socket>();
  readonly #onReach: (address: string, reached: boolean) => void;
  #destroyed = false;
  #broken = false;

  /** `onReach` is told which addresses could be connected to, and which could not. */
  constructor(onReach: (address: string, reached: boolean) => void) {
    this.#onReach = onReach;
  }

  /** A socket has ended, by whichever side. */
  get broken(): boolean {
    return this.#broken;
  }

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.#destroyed) throw new Error(DESTROYED);
    const raw = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    this.#watch(raw, `${host}:${port}`);
    const settings = typeof ssl === 'object' ? ssl : {};
    const socket = ssl ? connectTls({ socket: raw, ...(isIP(host) ? { host } : { servername: host }), ...settings }) : raw;
    this.#unready.add(socket);
    return socket.once(ssl ? 'secureConnect' : 'connect', () => {
      this.#unready.delete(socket);
      onConnect();
    });
  };

  /** Ends all of them at once. `reset`: what has not left yet never will; else they say goodbye. */
  destroy(how: { reset: boolean }): void {
    this.#destroyed = true;
    for (const socket of this.#unready) socket.destroy(new Error(DESTROYED));
    for (const raw of this.#raw) {
      if (how.reset && !raw.connecting && !raw.destroyed) raw.resetAndDestroy();
      else raw.destroy();
    }
    this.#unready.clear();
    this.#raw.clear();
  }

  #watch(raw: Socket, address: string): void {
    this.#raw.add(raw);
    let reached = false;
    raw.once('connect', () => {
      reached = true;
      this.#onReach(address, true);
    });
    raw.once('end', () => {
      this.#broken = true;
    });
    raw.once('close', () => {
      this.#broken = true;
      this.#raw.delete(raw);
      if (!reached) this.#onReach(address, false);
    });
  }
}
