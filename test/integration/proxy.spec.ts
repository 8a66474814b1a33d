/** The faulty proxy does what each of its modes says; the tests that use it rely on that. */
import { once } from 'node:events';
import { connect, createServer, type Server as Listener, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { HOST } from '../servers/ports.ts';
import { type FaultyProxy, startProxy } from '../servers/proxy.ts';

const QUIET_MS = 100;

describe('faulty proxy', () => {
  let echo: Listener;
  let proxy: FaultyProxy;
  const received: string[] = [];
  const opened = new Set<Socket>();

  before(async () => {
    echo = createServer(socket => {
      opened.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', bytes => {
        received.push(String(bytes));
        socket.write(`echo ${bytes}`);
      });
    }).listen(0, HOST);
    await once(echo, 'listening');
  });
  after(() => {
    for (const socket of opened) socket.destroy();
    echo.close();
  });
  beforeEach(async () => {
    received.length = 0;
    const address = echo.address();
    proxy = await startProxy(typeof address === 'object' && address ? address.port : 0);
  });
  afterEach(() => proxy.stop());

  const open = async () => {
    const socket = connect(proxy.port, HOST);
    await once(socket, 'connect');
    return socket;
  };
  /** What comes back to a message: the answer, an error's code, `end`, or `nothing` for a while. */
  const ask = async (socket: Socket, message: string) => {
    const answer = Promise.race([
      once(socket, 'data').then(String, error => error.code),
      once(socket, 'close').then(
        () => 'end',
        error => error.code,
      ),
    ]);
    socket.write(message);
    return Promise.race([answer, sleep(QUIET_MS, 'nothing')]);
  };

  it('passes', async () => {
    expect(await ask(await open(), 'a')).equals('echo a');
    expect(proxy.connections()).equals(1);
  });

  it('hangs, and lets go', async () => {
    const socket = await open();
    await proxy.mode('hang');
    expect(await ask(socket, 'a')).equals('nothing');
    expect(await ask(await open(), 'b')).equals('nothing');
    expect(received).eql([]);
    const late = once(socket, 'data');
    await proxy.mode('pass');
    expect(String(await late)).equals('echo a');
  });

  it('forgets connections, not newcomers', async () => {
    const socket = await open();
    expect(await ask(socket, 'a')).equals('echo a');
    await proxy.mode('forget');
    expect(await ask(socket, 'b')).equals('nothing');
    await proxy.mode('pass');
    expect(await ask(socket, 'c')).equals('nothing');
    expect(await ask(await open(), 'd')).equals('echo d');
    expect(received).eql(['a', 'd']);
  });

  it('refuses, and takes again', async () => {
    const socket = await open();
    socket.on('error', () => undefined);
    await proxy.mode('refuse');
    if (!socket.closed) await new Promise(resolve => socket.once('close', resolve));
    const refused = await open().catch(error => error.code);
    expect(refused).equals('ECONNREFUSED');
    await proxy.mode('pass');
    expect(await ask(await open(), 'a')).equals('echo a');
  });

  it('resets', async () => {
    const socket = await open();
    const reset = once(socket, 'data').catch(error => error.code);
    await proxy.mode('reset');
    expect(await reset).equals('ECONNRESET');
  });

  it('drops answers to what was done', async () => {
    await proxy.mode('drop-answers');
    expect(await ask(await open(), 'a')).equals('nothing');
    expect(received).eql(['a']);
  });

  it('delays answers, in order', async () => {
    await proxy.mode({ delayMs: 80 });
    const socket = await open();
    const since = performance.now();
    expect(await ask(socket, 'a')).equals('echo a');
    expect(performance.now() - since).within(75, QUIET_MS + 50);
    socket.write('b');
    await sleep(20);
    await proxy.mode('pass');
    socket.write('c');
    let got = '';
    socket.on('data', bytes => {
      got += bytes;
    });
    await sleep(QUIET_MS * 2);
    expect(got).equals('echo becho c');
  });

  it('carries an end through, after the last answer', async () => {
    await proxy.mode({ delayMs: 30 });
    const socket = await open();
    socket.write('a');
    await sleep(20);
    for (const one of opened) one.end();
    const [bytes] = await once(socket, 'data');
    expect(String(bytes)).equals('echo a');
    await once(socket, 'end');
  });
});
