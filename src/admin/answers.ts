/**
 * What each admin path answers: pure of sockets. States and counts are open to anyone who reaches the port; what changes something needs the token.
 */
import type { StatusSource } from '../ports/status-source.ts';

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
}

/** Prometheus tells its formats apart by this. */
const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

export interface Answer {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain; charset=utf-8' | 'text/html; charset=utf-8' | typeof PROMETHEUS;
  readonly body: string;
  /** Methods that the path takes, where it took none of this one. */
  readonly allow?: string;
}

export interface AdminParts {
  readonly source: StatusSource;
  readonly metricsText: () => Promise<string>;
  /** Compares in constant time; undefined when no token is configured. */
  readonly isToken: ((offered: string) => boolean) | undefined;
}

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Tidemark</title></head>
<body><h1>Tidemark</h1><p>The status page is not built yet. What runs here: <a href="/status">/status</a>, <a href="/metrics">/metrics</a>,
<a href="/readyz">/readyz</a>, <a href="/livez">/livez</a>.</p></body></html>
`;

const ACTION = /^\/pipelines\/([^/]+)\/sinks\/([^/]+)\/(pause|resume|redrive)$/;

export async function answer(question: Question, parts: AdminParts): Promise<Answer> {
  const action = ACTION.exec(question.path);
  if (action !== null) return act(question, { pipeline: decoded(action[1]), sink: decoded(action[2]), verb: action[3] ?? '' }, parts);
  if (question.method !== 'GET' && question.method !== 'HEAD') return { ...text(405, 'only GET here'), allow: 'GET, HEAD' };
  switch (question.path) {
    case '/':
      return { status: 200, type: 'text/html; charset=utf-8', body: PAGE };
    case '/status':
      return json(200, await parts.source.status());
    case '/livez':
      return probe('alive', (await parts.source.notAlive?.()) ?? []);
    case '/readyz':
      return probe('ready', await parts.source.notReady());
    case '/metrics':
      return { status: 200, type: PROMETHEUS, body: await parts.metricsText() };
    default:
      return text(404, 'no such page; there are /, /status, /livez, /readyz, /metrics');
  }
}

async function act(question: Question, what: { pipeline: string; sink: string; verb: string }, parts: AdminParts): Promise<Answer> {
  if (question.method !== 'POST') return { ...text(405, 'only POST here'), allow: 'POST' };
  if (parts.isToken === undefined) return text(403, 'set admin.token to allow this');
  const offered = /^Bearer (.+)$/i.exec(question.authorization ?? '')?.[1];
  if (offered === undefined || !parts.isToken(offered)) return text(401, 'needs Authorization: Bearer <admin.token>');
  if (what.verb === 'redrive') return text(501, 'redrive is not built yet');
  const { source } = parts;
  try {
    const done = await (what.verb === 'pause' ? source.pause(what.pipeline, what.sink) : source.resume(what.pipeline, what.sink));
    if (done === 'unknown') return text(404, 'no such pipeline or sink');
    return json(200, { pipeline: what.pipeline, sink: what.sink, done: what.verb });
  } catch (error) {
    // It is kept in the state tables, which may be away.
    return text(503, error instanceof Error ? error.message : String(error));
  }
}

/** `word`, unless there are reasons why not. */
function probe(word: 'alive' | 'ready', reasons: readonly string[]): Answer {
  return reasons.length === 0 ? text(200, word) : text(503, reasons.join('\n'));
}

function decoded(part: string | undefined): string {
  try {
    return decodeURIComponent(part ?? '');
  } catch {
    return '';
  }
}

const text = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` });
const json = (status: number, body: unknown): Answer => ({ status, type: 'application/json', body: `${JSON.stringify(body)}\n` });
