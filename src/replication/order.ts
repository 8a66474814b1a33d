/**
 * DynamoDB's own order of values, so that what we decide here is what a condition decides there: numbers by value with all their 38 digits, text by its
 * UTF-8 bytes (which is not the order of JavaScript's strings).
 */
import { canonicalNumber } from '../model/key.ts';
import type { VersionValue } from './marker.ts';

/** Negative when `a` is lower. A missing value is lower than any; of two types none is lower than the other by DynamoDB's rules, so N comes first. */
export function compareValues(a: VersionValue | undefined, b: VersionValue | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  if ('N' in a) return 'N' in b ? compareNumbers(a.N, b.N) : -1;
  return 'S' in b ? compareText(a.S, b.S) : 1;
}

export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

export function compareNumbers(a: string, b: string): number {
  const [x, y] = [decimal(a), decimal(b)];
  if (x.sign !== y.sign) return x.sign - y.sign;
  if (x.magnitude !== y.magnitude) return x.sign * (x.magnitude - y.magnitude);
  return x.digits === y.digits ? 0 : x.digits < y.digits ? -x.sign : x.sign;
}

/** Digits without zeros at either end, and the power of ten in front of the first: then digits of one magnitude compare as text. */
function decimal(text: string): { readonly sign: -1 | 0 | 1; readonly digits: string; readonly magnitude: number } {
  const [, minus, digits = '0', power = '0'] = /^(-?)(\d+)(?:e(-?\d+))?$/.exec(canonicalNumber(text)) ?? [];
  if (digits === '0') return { sign: 0, digits, magnitude: 0 };
  return { sign: minus ? -1 : 1, digits, magnitude: digits.length + Number(power) };
}
