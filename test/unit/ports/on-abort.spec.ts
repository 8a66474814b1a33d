import { expect } from 'chai';
import { onAbort } from '../../../src/ports/on-abort.ts';

describe('ports/on-abort', () => {
  it('calls back at once where the signal has aborted, once when it does, and not after the listener went', () => {
    const heard: string[] = [];
    onAbort(AbortSignal.abort(), () => heard.push('at once'));
    const stop = new AbortController();
    onAbort(stop.signal, () => heard.push('then'));
    onAbort(stop.signal, () => heard.push('deaf'))();
    expect(heard).to.deep.equal(['at once']);
    stop.abort();
    expect(heard).to.deep.equal(['at once', 'then']);
  });
});
