/**
 * Ends what a test process started, also when that process is killed with SIGKILL: a separate process that lives in its own session and reads lines
 * from its parent (`{"add":pid}`, `{"drop":pid}`, `{"folder":path}`, `{"gone":path}`). When the parent is no more, the pipe ends; whatever is still
 * on the list is killed with its process group, and the folders are removed. Plain JavaScript, so that any Node runs it.
 */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { sep } from 'node:path';
import { createInterface } from 'node:readline';

const pids = new Set();
const folders = new Set();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const { add, drop, folder, gone } = JSON.parse(line);
  if (add) pids.add(add);
  if (drop) pids.delete(drop);
  if (folder) folders.add(folder);
  if (gone) folders.delete(gone);
}

// Last started, first ended: clients before the servers that they use.
for (const pid of [...pids].reverse()) killGroup(pid);
await new Promise(resolve => setTimeout(resolve, 200));
for (const folder of folders) {
  if (folder.startsWith(tmpdir() + sep)) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
