/**
 * How an answer of an AWS service is read, by both clients: the JSON of a success, checked against DynamoDB's checksum; the name and message of a
 * refusal, in each of the places where the services put them; and what an exchange without an answer is called.
 */
import { crc32 } from 'node:zlib';
import type { EpochMs } from '../model/units.ts';
import { ServiceFault } from '../ports/service-fault.ts';
import { epochOf } from './system.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** A success. */
export interface Answer {
  readonly json: unknown;
  readonly text: string;
  /** Of the body. */
  readonly bytes: number;
  /** The server's date, else ours. */
  readonly servedAt: EpochMs;
}

/** JSON, text and size of a success; a `network` fault when it is damaged or is no JSON. */
export function parsedAnswer(answer: HttpAnswer): { json: unknown; text: string; bytes: number } {
  const { body } = answer;
  const sum = headerOf(answer, 'x-amz-crc32');
  if (sum !== undefined && Number(sum) !== crc32(body)) {
    throw new ServiceFault('CRC32CheckFailed', 'the answer was damaged on its way', { class: 'network', status: answer.status });
  }
  const text = body.toString('utf8');
  try {
    return { json: JSON.parse(text), text, bytes: body.length };
  } catch {
    throw new ServiceFault('UnreadableAnswer', 'the answer is not JSON; is `endpoint` the address of the service?', {
      class: 'network',
      status: answer.status,
    });
  }
}

/** Name, message and JSON of an answer that is not a success, be it the service's or something else's between. */
export function refusalOf(answer: HttpAnswer): {
  name: string;
  message: string;
  status: number;
  answer: Readonly<Record<string, unknown>>;
} {
  const { status } = answer;
  const json = objectIn(answer.body.toString('utf8'));
  const type = headerOf(answer, 'x-amzn-errortype') ?? textOf(json['__type']) ?? textOf(json['code']);
  const name = type?.replace(/:.*$/, '').replace(/^.*#/, '') ?? `HTTP${status}`;
  const message =
    textOf(json['message']) ?? textOf(json['Message']) ?? (type === undefined ? `answer ${status} without an error name` : name);
  return { name, message, status, answer: json };
}

/** The same text for a whole second: it is parsed once. */
let lastDate: { readonly text: string; readonly at: EpochMs | undefined } = { text: '', at: undefined };

/** The server's date, where it sent one. */
export function dateOfAnswer(answer: HttpAnswer): EpochMs | undefined {
  const text = headerOf(answer, 'date');
  if (text === undefined) return undefined;
  if (text !== lastDate.text) lastDate = { text, at: epochOf(text) };
  return lastDate.at;
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function headerOf(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** What undici and the SDK call the ways of not getting an answer, in the system's words. */
const BROKEN_NAMES: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_SOCKET: 'ECONNRESET',
  UND_ERR_DESTROYED: 'ClientClosed',
  UND_ERR_CLOSED: 'ClientClosed',
  TimeoutError: 'ETIMEDOUT',
};

/** The fault of an exchange that brought no answer. */
export function brokenFault(error: unknown, where: string): ServiceFault {
  const { code, name, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, name: '', message: String(error) };
  const known = BROKEN_NAMES[code ?? name] ?? code ?? 'NoAnswer';
  const kind = known === 'ClientClosed' ? 'aborted' : 'network';
  return new ServiceFault(known, `no answer from ${where}: ${message || known}`, { class: kind, cause: error });
}
