/**
 * A request in the wire's JSON as the SDK's serialisers want it: binary is bytes there and base64 text here. In a DynamoDB request only an attribute
 * value has a member `B` that is text or `BS` that is a list of texts (an attribute named so holds an object), so one walk finds them anywhere.
 */
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
