/** Ports on loopback: a free one, and waiting until somebody answers there. */
import { connect, createServer } from 'node:net';

export const HOST = '127.0.0.1';

// Below the range that systems take outgoing ports from: a server that is stopped and started again must find its port free.
const LOWEST = 20000;
const HIGHEST = 32000;

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await canListen(port)) return port;
  }
  throw new Error(`No free port between ${LOWEST} and ${HIGHEST}: stop what listens there`);
}

/** This port if nobody listens on it, else a free one. */
export async function portOr(wanted: number): Promise<number> {
  return (await canListen(wanted)) ? wanted : freePort();
}

// On every address: some servers take no host and listen on all.
function canListen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}

/** Whether somebody accepts a connection there. */
export function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
