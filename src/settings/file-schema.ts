/**
 * The whole settings file as one JSON Schema, made of convict's schema, the pipeline's and those of all connectors in the tree: what editors check
 * against, and what the reference is written from.
 */
import { ADDRESS, HOST, REGION, ROLE, TABLE } from '../model/aws-names.ts';
import { builtInTypes, loadConnectors } from './connector-loader.ts';
import { sinkSchema } from './delivery-schema.ts';
import { type FormatName, NAME } from './formats.ts';
import { isOption, PROCESS_SCHEMA, type ProcessOption, type ProcessSection } from './process-schema.ts';
import { type JsonSchema, jsonSchemaOf } from './schema-shape.ts';
import { pipelineSchema, sourceSchema } from './source-schema.ts';

/** Own options of each connector in the tree, by type. */
export async function connectorSchemas(): Promise<ReadonlyMap<string, JsonSchema>> {
  const loaded = await loadConnectors(builtInTypes(), []);
  return new Map(
    Array.from(loaded, ([type, outcome]) => {
      if ('problem' in outcome) throw new Error(`connector ${type}: ${outcome.problem}`);
      return [type, jsonSchemaOf(outcome.connector.schema)];
    }),
  );
}

export const SOURCE_JSON_SCHEMA: JsonSchema = jsonSchemaOf(sourceSchema);
export const SINK_JSON_SCHEMA: JsonSchema = jsonSchemaOf(sinkSchema);

/** For `config/schema.json`. A reference may stand wherever a value does. */
export function fileSchema(connectors: ReadonlyMap<string, JsonSchema>): JsonSchema {
  const process = sectionSchema(PROCESS_SCHEMA);
  const pipeline = jsonSchemaOf(pipelineSchema);
  const pipelines = {
    type: 'array',
    minItems: 1,
    description: 'What is read, and where it goes. Sinks of one pipeline share one reading of each shard.',
    items: {
      ...withoutMarks(pipeline),
      required: ['name', 'source', 'sinks'],
      properties: {
        name: pipeline.properties?.['name'] ?? {},
        source: SOURCE_JSON_SCHEMA,
        sinks: { type: 'array', minItems: 1, items: anySink(connectors) },
      },
    },
  };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tidemark settings',
    ...(withReferences({ ...process, properties: { ...process.properties, pipelines }, required: ['name', 'pipelines'] }) as JsonSchema),
    definitions: { reference: { type: 'string', pattern: '\\$\\{(env|file):[^}]+\\}' } },
  };
}

function sectionSchema(section: ProcessSection): JsonSchema {
  const properties = Object.entries(section).map(([name, entry]) => [name, isOption(entry) ? optionSchema(entry) : sectionSchema(entry)]);
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false };
}

const TYPES: Readonly<Record<FormatName, JsonSchema>> = {
  'tm-name': { type: 'string', pattern: NAME.source },
  'tm-text': { type: 'string', minLength: 1 },
  'tm-address': { type: 'string', pattern: ADDRESS.source },
  'tm-region': { type: 'string', pattern: REGION.pattern.source },
  'tm-role': { type: 'string', pattern: ROLE.pattern.source },
  'tm-table': { type: 'string', pattern: TABLE.pattern.source },
  'tm-host': { type: 'string', pattern: HOST.pattern.source },
  'tm-switch': { type: 'boolean' },
  'tm-whole': { type: 'integer' },
  'tm-amount': { type: 'number' },
  'tm-processes': { anyOf: [{ type: 'integer' }, { type: 'string', enum: ['auto'] }] },
};

function optionSchema({ doc, format, default: fallback, min, max }: ProcessOption): JsonSchema {
  const type: JsonSchema = typeof format === 'string' ? TYPES[format] : { type: 'string', enum: format };
  return {
    ...type,
    description: doc,
    ...(fallback !== null && { default: fallback }),
    ...(min !== undefined && { minimum: min }),
    ...(max !== undefined && { maximum: max }),
  };
}

/** A type of the tree takes exactly its own options beside the house's; what a package takes is not known here. */
function anySink(connectors: ReadonlyMap<string, JsonSchema>): JsonSchema {
  const house = withoutMarks(SINK_JSON_SCHEMA);
  const types = [...connectors.keys()];
  return {
    type: 'object',
    properties: { ...house.properties, type: { ...house.properties?.['type'], examples: types } },
    required: house.required ?? [],
    allOf: Array.from(connectors, ([type, own]) => ({
      if: { properties: { type: { const: type } }, required: ['type'] },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word; nobody awaits it.
      then: {
        ...withoutMarks(own),
        properties: { ...own.properties, ...Object.fromEntries(Object.keys(house.properties ?? {}).map(key => [key, {}])) },
      },
    })),
  };
}

function withoutMarks({ $schema: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

/** Everything that is not free text may also be a `${…}`. */
function withReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withReferences);
  if (typeof schema !== 'object' || schema === null) return schema;
  const leaf = schema as JsonSchema;
  const narrow =
    ['integer', 'number', 'boolean'].includes(String(leaf.type)) || Array.isArray(leaf.enum) || typeof leaf.pattern === 'string';
  if (!narrow || typeof leaf.const === 'string') {
    const entries = Object.entries(schema).filter(([key]) => key !== '$schema');
    return Object.fromEntries(entries.map(([key, value]) => [key, key === 'if' || key === 'default' ? value : withReferences(value)]));
  }
  const { description, default: fallback, secret, ...type } = leaf;
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    ...(secret !== undefined && { secret }),
    anyOf: [type, { $ref: '#/definitions/reference' }],
  };
}
