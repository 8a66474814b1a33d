/**
 * W3C trace context that an application keeps in its items: a stream carries none itself. The text is passed on as it is; one that is no `traceparent`
 * is passed over, for it is the application's and not ours to judge.
 */
import type { ChangeRecord } from './change-record.ts';

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What the write that made this change left in the item. Only of the image after it: what a removal removed is the context of an older write. */
export function carriedTraceparent({ after }: ChangeRecord, attribute: string): string | undefined {
  const value = after !== undefined && Object.hasOwn(after, attribute) ? after[attribute] : undefined;
  return value !== undefined && 'S' in value && TRACEPARENT.test(value.S) ? value.S : undefined;
}
