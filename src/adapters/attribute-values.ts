/** Values of a row that may be missing, or of another type. */
import type { AttributeValue } from '../model/item.ts';

export function text(value: AttributeValue | undefined): string | undefined {
  return value !== undefined && 'S' in value ? value.S : undefined;
}

export function number(value: AttributeValue | undefined): number | undefined {
  return value !== undefined && 'N' in value ? Number(value.N) : undefined;
}
