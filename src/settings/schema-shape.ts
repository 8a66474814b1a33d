/**
 * What a zod schema says of its fields, read from its JSON Schema: the keys of a map, and which fields are secret. So a connector from another package,
 * with a zod of its own, is read like ours.
 */
import { type ZodType, z } from 'zod';
import type { Path } from './tree.ts';

/** As much of JSON Schema as zod writes. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly $ref?: string;
  readonly $schema?: string;
  readonly secret?: boolean;
  readonly [further: string]: unknown;
}

const known = new WeakMap<ZodType, JsonSchema>();

/** The schema of what is written in a file. */
export function jsonSchemaOf(schema: ZodType): JsonSchema {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const made = z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any', reused: 'inline' }) as JsonSchema;
  known.set(schema, made);
  return made;
}

/** Names that are allowed in the map at a path; of a union, those of all its members. */
export function keysAt(schema: JsonSchema, path: Path = []): readonly string[] {
  return [...new Set(schemasAt(schema, path).flatMap(s => Object.keys(s.properties ?? {})))];
}

export interface Bounds {
  readonly integer?: boolean;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly exclusiveMinimum?: number | undefined;
  readonly exclusiveMaximum?: number | undefined;
}

/** Of the number at a path, where it is one. */
export function boundsAt(schema: JsonSchema, path: Path): Bounds {
  const found = schemasAt(schema, path).find(({ type }) => type === 'integer' || type === 'number');
  if (found === undefined) return {};
  const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = found;
  return { integer: type === 'integer', minimum, maximum, exclusiveMinimum, exclusiveMaximum };
}

/** Whether the value at a path must not be shown: it, or anything that it is part of, is marked so. */
export function isSecretAt(schema: JsonSchema, path: Path): boolean {
  return path.some((_, i) => schemasAt(schema, path.slice(0, i + 1)).some(s => s.secret === true));
}

function schemasAt(schema: JsonSchema, path: Path): readonly JsonSchema[] {
  return path.reduce<readonly JsonSchema[]>((level, step) => level.flatMap(s => below(s, step)), alternatives(schema));
}

function below(schema: JsonSchema, step: Path[number]): readonly JsonSchema[] {
  const { properties, additionalProperties, items } = schema;
  if (typeof step === 'number') {
    const item: JsonSchema | undefined = Array.isArray(items) ? items[step] : (items as JsonSchema | undefined);
    return item === undefined ? [] : alternatives(item);
  }
  const named = properties !== undefined && Object.hasOwn(properties, step) ? properties[step] : undefined;
  const found = named ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  return found === undefined ? [] : alternatives(found);
}

/** The schema itself and everything that it may stand for. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...parts.flatMap(alternatives)];
}
