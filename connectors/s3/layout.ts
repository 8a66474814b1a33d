/**
 * Object names: a pure function of the options and of a file's first record, so that a file that is written again after a crash meets itself. The
 * stream is in the name, because sequence numbers of two streams of one table may begin alike; the sequence number is padded, so names sort in order.
 */
import type { ChangeRecord } from '../../src/model/change-record.ts';
import { isoTime } from '../../src/model/iso-time.ts';
import type { EpochMs } from '../../src/model/units.ts';

export const LAYOUT_TOKENS = ['!{table}', '!{stream}', '!{shard}', '!{timestamp:<yyyy|MM|dd|HH|mm with - / _ . or text>}'];

const TOKEN = /!\{([^}]*)\}/g;
const SEQUENCE_DIGITS = 40;

/** What is wrong with a layout; undefined when nothing is. */
export function layoutProblem(layout: string): string | undefined {
  for (const [token, name = ''] of layout.matchAll(TOKEN)) {
    if (name === 'table' || name === 'stream' || name === 'shard') continue;
    if (!/^timestamp:(?:yyyy|MM|dd|HH|mm|[-/_.])+$/.test(name)) return `${token} is not known; there are ${LAYOUT_TOKENS.join(', ')}`;
  }
  if (layout.replace(TOKEN, '').includes('!{')) return 'a `!{` is not closed';
  if (layout.startsWith('/') || layout.endsWith('/')) return 'leave slashes at the ends out';
  return undefined;
}

/** `name(first)` gives the object name of the file whose first record that is. */
export function objectNames(options: { prefix: string; layout: string; extension: string }): (first: ChangeRecord) => string {
  const prefix = options.prefix.replace(/^\/+|\/+$/g, '');
  return first => {
    const { source } = first;
    const folder = options.layout.replace(TOKEN, (_, name: string) => {
      if (name === 'table') return encoded(source.table);
      if (name === 'stream') return String(source.streamCreatedAt).padStart(13, '0');
      if (name === 'shard') return encoded(source.partition);
      return stamped(name.slice('timestamp:'.length), first.changedAt);
    });
    const file = `${encoded(source.partition)}+${first.token.padStart(SEQUENCE_DIGITS, '0')}`;
    // A layout without the stream must not let two streams of a table meet in one name.
    const stream = options.layout.includes('!{stream}') ? '' : `${String(source.streamCreatedAt).padStart(13, '0')}+`;
    return [prefix, folder, `${stream}${file}.${options.extension}`].filter(part => part !== '').join('/');
  };
}

function stamped(format: string, at: EpochMs): string {
  // 2026-11-25T12:13:14.000Z, cut by place: no clock is read and no zone is asked for.
  const iso = isoTime(at, 0);
  const parts: Readonly<Record<string, string>> = {
    yyyy: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    dd: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
  };
  return format.replace(/yyyy|MM|dd|HH|mm/g, part => parts[part] ?? part);
}

const encoded = (text: string): string => encodeURIComponent(text);
