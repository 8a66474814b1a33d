/**
 * A time as ISO 8601 text in UTC, with as many digits of a second as asked for: a removal is given its version in the very form that the application
 * writes, for text is compared as text. Plain arithmetic of the Gregorian calendar, for no clock is needed.
 */
import type { EpochMs } from './units.ts';

const DAY_MS = 86_400_000;

export function isoTime(at: EpochMs, fractionDigits: number): string {
  const days = Math.floor(at / DAY_MS);
  const ms = Math.floor(at - days * DAY_MS);
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  const fraction =
    fractionDigits === 0
      ? ''
      : `.${two(ms % 1000, 3)
          .padEnd(fractionDigits, '0')
          .slice(0, fractionDigits)}`;
  return `${date(days)}T${two(h)}:${two(m)}:${two(s)}${fraction}Z`;
}

/** Days since 1970-01-01 as a date. Counted in years that begin in March, so that the leap day is a year's last. */
function date(days: number): string {
  const sinceEra = days + 719_468;
  const era = Math.floor(sinceEra / 146_097);
  const dayOfEra = sinceEra - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${two(year, 4)}-${two(month)}-${two(day)}`;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?/;

/** The other way round, of a time in UTC; undefined for other text. What is finer than a millisecond is left out. */
export function epochMs(text: string): EpochMs | undefined {
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, h = 0, m = 0, s = 0] = parts.slice(1, 7).map(Number);
  const fraction = Number((parts[7] ?? '').padEnd(3, '0'));
  // Counted in years that begin in March, as above.
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const days = era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
  return days * DAY_MS + h * 3_600_000 + m * 60_000 + s * 1000 + fraction;
}

function two(n: number, digits = 2): string {
  return String(n).padStart(digits, '0');
}
