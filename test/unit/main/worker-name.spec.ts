import { hostname } from 'node:os';
import { expect } from 'chai';
import { workerName } from '../../../src/wiring.ts';

describe('worker name', () => {
  it('same-worker-name-twice: two processes of one host, or of two containers with one host name, are two workers', () => {
    const names = new Set(Array.from({ length: 1_000 }, workerName));
    expect(names.size).to.equal(1_000);
    for (const name of names) expect(name.startsWith(`${hostname()}-`)).to.equal(true);
  });
});
