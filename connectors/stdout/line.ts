/** A change as one line of text for a person: when, where, what, which item, and how it is now. Whatever an item holds, it stays one line of plain text. */
import { keyJson } from '../../src/formats/item-key.ts';
import { plainItem } from '../../src/formats/plain-values.ts';
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { isTtlDelete } from '../../src/model/change-record.ts';
import { isoTime } from '../../src/model/iso-time.ts';

/** What JSON leaves as it is and a terminal may obey, or an editor may take for a line's end. */
const NOT_FOR_TERMINALS = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

export function lineOf(record: ChangeRecord, { images }: { readonly images: boolean }): string {
  const what = isTtlDelete(record) ? 'expire' : record.kind;
  const words = [isoTime(record.changedAt, 0), record.token, record.source.table, what.padEnd(6), keyJson(record)];
  const image = record.after ?? record.before;
  if (images && image !== undefined) words.push(JSON.stringify(plainItem(image)));
  return words.join(' ').replace(NOT_FOR_TERMINALS, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
