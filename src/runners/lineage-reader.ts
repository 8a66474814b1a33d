/**
 * A reader of a shard that says `end` only when the shard's children have rows. The records of the last page are passed on at once, and heads go on
 * being saved meanwhile; so a sink's end is never durable before its children can be found.
 */

import type { Page } from '../model/page.ts';
import { onAbort } from '../ports/on-abort.ts';
import type { Reader } from '../ports/reader.ts';

/** `children` is asked at most once at a time, also when the shard is read twice; its result is kept. */
export function lineageReader(reader: Reader, children: () => Promise<unknown>): Reader {
  let asked: Promise<unknown> | undefined;
  const found = (): Promise<unknown> => {
    asked ??= children().catch((error: unknown) => {
      asked = undefined;
      throw error;
    });
    return asked;
  };
  return {
    partition: reader.partition,
    async *pages(from, signal, permit = async () => true): AsyncGenerator<Page> {
      for await (const page of reader.pages(from, signal, permit)) {
        if (page.end === undefined) {
          yield page;
          continue;
        }
        const { end, ...rest } = page;
        // A gap alone moves no place: whoever gave way to others between it and the end would come back to find it anew.
        const isSplit = page.records.length > 0;
        if (isSplit) {
          yield { ...rest, atTip: true };
          if (signal.aborted || !(await permit())) return;
        }
        if (await before(found(), signal)) yield isSplit ? { records: [], end } : page;
      }
    },
  };
}

/** Whether the work was done before the signal aborted. */
async function before(work: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const deafen = onAbort(signal, () => resolve(false));
  try {
    return await Promise.race([work.then(() => true), promise]);
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    deafen();
  }
}
