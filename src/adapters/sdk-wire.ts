/**
 * Between the SDK's objects and the wire's JSON: binary is bytes there and base64 text here, times are `Date` there and epoch seconds here. In a
 * DynamoDB request only an attribute value has a member `B` that is text or `BS` that is a list of texts (an attribute named so holds an object), so
 * that one walk knows them anywhere. This is the only place where the two shapes meet.
 */

/** A request of ours as the SDK wants it. */
export function toSdk(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toSdk);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (name === 'B' && typeof member === 'string') return [name, Buffer.from(member, 'base64')];
      if (name === 'BS' && Array.isArray(member)) return [name, member.map(text => Buffer.from(String(text), 'base64'))];
      return [name, toSdk(member)];
    }),
  );
}

/** An answer of the SDK as it was on the wire: without its metadata and without members that were not there. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
  if (isTime(value)) return value.getTime() / 1000;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, member]) => member !== undefined && name !== '$metadata')
      .map(([name, member]) => [name, toWire(member)]),
  );
}

function isTime(value: unknown): value is { getTime(): number } {
  return typeof value === 'object' && value !== null && 'getTime' in value && typeof value.getTime === 'function';
}
