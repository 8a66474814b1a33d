/**
 * How an HTTP answer of the fast client is read: the JSON of a success, checked against DynamoDB's checksum, or the name and message of a refusal in
 * each of the places where the services put them; and what an exchange without an answer is called.
 */
import { crc32 } from 'node:zlib';
import { ServiceFault } from '../ports/service-fault.ts';
import type { HttpAnswer } from './fast-exchange.ts';

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

export function headerOf(answer: HttpAnswer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** What undici calls the ways of not getting an answer, in the system's words. */
const BROKEN_NAMES: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_HEADERS_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_BODY_TIMEOUT: 'ETIMEDOUT',
  UND_ERR_SOCKET: 'ECONNRESET',
  UND_ERR_DESTROYED: 'ClientClosed',
  UND_ERR_CLOSED: 'ClientClosed',
};

/** The fault of an exchange that brought no answer. */
export function brokenFault(error: unknown, where: string): ServiceFault {
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  const name = (code !== undefined && (BROKEN_NAMES[code] ?? code)) || 'NoAnswer';
  const kind = name === 'ClientClosed' ? 'aborted' : 'network';
  return new ServiceFault(name, `no answer from ${where}: ${message || name}`, { class: kind, cause: error });
}
