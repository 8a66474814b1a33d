/**
 * DynamoDB's own attribute values, exactly as they stand on the wire: numbers are text (38 digits survive), binary is base64 text, sets are lists.
 * Nothing on the way from a stream to a sink unmarshals them. An item may have an attribute named `__proto__`: build items by object literals,
 * spread, `Object.fromEntries` or `JSON.parse`, never by assignment to a computed name.
 */
export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }
  | { readonly NULL: boolean }
  | { readonly M: Item }
  | { readonly L: readonly AttributeValue[] }
  | { readonly SS: readonly string[] }
  | { readonly NS: readonly string[] }
  | { readonly BS: readonly string[] };

export interface Item {
  readonly [name: string]: AttributeValue;
}

/** An item as it was before or after a change. */
export type Image = Item;
