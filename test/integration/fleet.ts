/**
 * Worker processes of one service on a real DynamoDB, what they deliver, and the faults that befall them. Each record is a line of a file that says which
 * process wrote it and when; that file, the faults and the processes' own logs are all that is judged afterwards (fleet-verdict.ts).
 */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Running, start } from './cli-desk.ts';

export type FaultKind = 'kill' | 'term' | 'freeze' | 'join';

export interface Fault {
  readonly kind: FaultKind;
  readonly pid: number;
  readonly at: number;
  /** Of a frozen one: when it goes on. */
  until?: number;
  /** Nothing else was wrong from shortly before it until its end was seen. */
  alone: boolean;
}

export interface Line {
  /** `<table>/<key>`. */
  readonly key: string;
  readonly table: string;
  readonly change: string;
  readonly pid: number;
  readonly at: number;
}

export interface Member {
  readonly pid: number;
  readonly running: Running;
  readonly startedAt: number;
  state: 'starting' | 'up' | 'frozen' | 'gone';
}

/** Of a record, for the connector that writes records down: what `Line` is read from. */
export const SIGNED = "({ source, keys, after }) => [source.table + '/' + keys.pk.S, after.n.N, process.pid, Date.now()].join(' ')";

/** The lines of a file that grows. */
export class Lines {
  readonly #path: string;
  readonly all: Line[] = [];
  /** Of each table, the newest of each process. */
  readonly latest = new Map<string, Map<number, number>>();
  #read = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  look(): readonly Line[] {
    if (!existsSync(this.#path)) return this.all;
    const file = openSync(this.#path, 'r');
    const buffer = Buffer.alloc(256 * 1024);
    for (let bytes = -1; bytes !== 0; ) {
      bytes = readSync(file, buffer, 0, buffer.length, this.#read);
      this.#read += bytes;
      const parts = (this.#rest + buffer.toString('utf8', 0, bytes)).split('\n');
      this.#rest = parts.pop() ?? '';
      for (const part of parts) this.#add(part);
    }
    closeSync(file);
    return this.all;
  }

  #add(text: string): void {
    const [key = '', change = '', pid, at] = text.split(' ');
    const line = { key, table: key.slice(0, key.indexOf('/')), change, pid: Number(pid), at: Number(at) };
    this.all.push(line);
    const byPid = this.latest.get(line.table) ?? new Map<number, number>();
    this.latest.set(line.table, byPid.set(line.pid, line.at));
  }
}

export class Fleet {
  readonly #args: readonly string[];
  readonly members: Member[] = [];
  readonly faults: Fault[] = [];
  /** Ends that nobody had asked for. */
  readonly surprises: string[] = [];

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  get live(): readonly Member[] {
    return this.members.filter(({ state }) => state !== 'gone');
  }

  get healthy(): readonly Member[] {
    return this.members.filter(({ state }) => state === 'up');
  }

  launch(): Member {
    const running = start(this.#args);
    const member: Member = { pid: running.pid, running, startedAt: Date.now(), state: 'starting' };
    this.members.push(member);
    const up = () => {
      if (member.state === 'starting') member.state = 'up';
    };
    running.until(/"address":"/).then(up, () => {});
    void running.ended.then(({ code, stderr }) => {
      const wanted = member.state === 'gone';
      member.state = 'gone';
      if (!wanted) this.surprises.push(`process ${member.pid} ended with ${code}: ${stderr.slice(-600)}`);
    });
    return member;
  }

  async join(): Promise<Member> {
    const member = this.launch();
    this.#note('join', member);
    await member.running.until(/"address":"/);
    return member;
  }

  kill(member: Member): void {
    member.state = 'gone';
    this.#note('kill', member);
    member.running.kill('SIGKILL');
  }

  /** Resolves when it has ended, which has to be 0. */
  async term(member: Member): Promise<void> {
    member.state = 'gone';
    this.#note('term', member);
    member.running.kill('SIGTERM');
    const { code, stderr } = await member.running.ended;
    if (code !== '0') this.surprises.push(`process ${member.pid} ended with ${code} after SIGTERM: ${stderr.slice(-600)}`);
  }

  /** Resolves when it goes on. */
  async freeze(member: Member, ms: number): Promise<void> {
    member.state = 'frozen';
    const fault = this.#note('freeze', member);
    member.running.kill('SIGSTOP');
    await sleep(ms);
    fault.until = Date.now();
    member.running.kill('SIGCONT');
    if (member.state === 'frozen') member.state = 'up';
  }

  /** Everything that was wrong has passed: from now on faults are alone again. */
  #open: Fault[] = [];
  settled(): void {
    this.#open = [];
  }

  #note(kind: FaultKind, { pid }: Member): Fault {
    const others = this.members.some(({ pid: other, state }) => other !== pid && (state === 'frozen' || state === 'starting'));
    const fault: Fault = { kind, pid, at: Date.now(), alone: !others && this.#open.length === 0 };
    for (const open of this.#open) open.alone = false;
    this.#open.push(fault);
    this.faults.push(fault);
    return fault;
  }
}
