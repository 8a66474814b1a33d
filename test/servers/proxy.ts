/**
 * A TCP proxy in this process that misbehaves on demand, to stand between a client and a server. Modes change for open connections too:
 * `pass` forwards; `hang` keeps connections and holds their bytes back until another mode lets them flow; `forget` is what a middlebox does that lost
 * its table: connections open now are silent for ever, new ones pass; `refuse` closes all and accepts none; `reset` ends old and new ones with RST;
 * `drop-answers` lets requests through and throws their answers away (done, but reported as lost); `{delayMs}` holds each answer back that long.
 */
import { connect, createServer, type Server as Listener, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOST } from './ports.ts';

export type ProxyMode = 'pass' | 'hang' | 'forget' | 'refuse' | 'reset' | 'drop-answers' | { readonly delayMs: number };

export interface FaultyProxy {
  readonly endpoint: string;
  readonly port: number;
  /** Resolves when the mode holds. */
  mode(mode: ProxyMode): Promise<void>;
  /** Connections open now. */
  connections(): number;
  stop(): Promise<void>;
  /** As for a server: all its connections end at once. */
  kill(signal?: NodeJS.Signals): void;
}

interface Link {
  readonly client: Socket;
  readonly target: Socket;
  /** Silent for ever. */
  forgotten: boolean;
  /** Its bytes are held back now. */
  held: boolean;
  /** The answers on their way to the client, in order. */
  answers: Promise<void>;
}

export async function startProxy(targetPort: number, options: { port?: number } = {}): Promise<FaultyProxy> {
  const links = new Set<Link>();
  let mode: ProxyMode = 'pass';
  const listener = createServer({ allowHalfOpen: true }, client => {
    if (mode === 'reset') return void client.resetAndDestroy();
    const target = connect({ port: targetPort, host: HOST, allowHalfOpen: true });
    const link: Link = { client, target, forgotten: false, held: false, answers: Promise.resolve() };
    links.add(link);
    carry(link, () => mode);
    for (const side of [client, target]) side.once('close', () => client.destroyed && target.destroyed && links.delete(link));
    hold(link, mode === 'hang');
  });
  const port = await listen(listener, options.port ?? 0);
  return {
    endpoint: `http://${HOST}:${port}`,
    port,
    connections: () => links.size,
    async mode(next) {
      mode = next;
      if (next === 'refuse' || next === 'reset') endAll(links);
      for (const link of links) {
        link.forgotten ||= next === 'forget';
        hold(link, next === 'hang' || link.forgotten);
      }
      if (next === 'refuse') await close(listener);
      else if (!listener.listening) await listen(listener, port);
    },
    async stop() {
      endAll(links);
      await close(listener);
    },
    kill: () => endAll(links),
  };
}

function hold(link: Link, held: boolean): void {
  link.held = held;
  for (const side of [link.client, link.target]) {
    if (held) side.pause();
    else side.resume();
  }
}

/** Carries bytes both ways, each as the mode of that moment says. An end is carried too; an error ends both sides. */
function carry(link: Link, mode: () => ProxyMode): void {
  const { client, target } = link;
  const answer = (give: () => void) => {
    const now = mode();
    if (now === 'drop-answers') return;
    const due = performance.now() + (typeof now === 'object' ? now.delayMs : 0);
    link.answers = link.answers.then(() => until(due)).then(give);
  };
  client.on('data', bytes => write(link, { from: client, to: target, bytes }));
  client.on('end', () => target.end());
  target.on('data', bytes => answer(() => write(link, { from: target, to: client, bytes })));
  target.on('end', () => answer(() => client.end()));
  for (const side of [client, target]) {
    side.setNoDelay();
    side.on('error', () => {
      client.destroy();
      target.destroy();
    });
  }
}

async function until(due: number): Promise<void> {
  const waitMs = due - performance.now();
  if (waitMs > 0) await sleep(waitMs);
}

/** Writes, and reads no more until the other side has taken it. */
function write(link: Link, { from, to, bytes }: { from: Socket; to: Socket; bytes: Buffer }): void {
  if (to.destroyed || to.writableEnded || to.write(bytes)) return;
  from.pause();
  to.once('drain', () => {
    if (!link.held) from.resume();
  });
}

function endAll(links: ReadonlySet<Link>): void {
  for (const { client, target } of links) {
    client.resetAndDestroy();
    target.destroy();
  }
}

function listen(listener: Listener, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, HOST, () => {
      listener.off('error', reject);
      const address = listener.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function close(listener: Listener): Promise<void> {
  return new Promise(resolve => {
    if (listener.listening) listener.close(() => resolve());
    else resolve();
  });
}
