/** `config reference`: every option with type, default and meaning, as Markdown, written from the schemas. */
import { REFUSED_IN_SINK } from './delivery-schema.ts';
import { SINK_JSON_SCHEMA, SOURCE_JSON_SCHEMA } from './file-schema.ts';
import { type ProcessOption, processOptions } from './process-schema.ts';
import type { JsonSchema } from './schema-shape.ts';
import { REFUSED_IN_SOURCE } from './source-schema.ts';

const INTRODUCTION = `# Settings

Written by \`tidemark config reference\`; a test fails when it is not fresh.

- A settings file is YAML, JSON or JSON5. \`-c\` may be given several times: maps are laid over each other key by key, the later file wins, lists are
  replaced whole.
- \`--set a.b=c\` sets one value over the files. A step into a list is an entry's name or number: \`--set pipelines.orders.sinks.eu.batchSize=50\`. A
  step with a dot in it is quoted. Lists and maps are written as JSON: \`--set 'pipelines.orders.sinks.bus.brokers=["a:9092"]'\`.
- Process settings are also set by the environment variables below, over the files and under \`--set\`. An empty variable counts as absent. Booleans:
  true, false, 1, 0, yes, no, on, off.
- \`\${env:NAME}\` and \`\${file:/path}\` stand for a secret, which is read once at start; one line end at its end is dropped; an empty or missing one is a
  mistake. A literal \`\${\` is written \`$\${\`. What came from a reference is redacted wherever settings or mistakes are shown. In logs and status, names of
  the service, of pipelines, sinks, source tables and regions are shown even so.
- Text takes no number, boolean or date without quotes.
- AWS credentials, profile, region, \`AWS_ENDPOINT_URL\` and \`AWS_ENDPOINT_URL_<SERVICE>\` come from the ordinary AWS chain where nothing is set here.
`;

export function referenceText(connectors: ReadonlyMap<string, JsonSchema>): string {
  const sections = [
    INTRODUCTION,
    '## Process\n',
    table(['Setting', 'Type', 'Default', 'Variable', 'Meaning'], Array.from(processOptions(), processRow)),
    '## `pipelines`\n\nA list; each entry has a `name` (unique in the file), a `source` and a list of `sinks`.\n',
    '### `source`\n',
    optionTable(SOURCE_JSON_SCHEMA),
    '### Every sink\n',
    optionTable(SINK_JSON_SCHEMA),
    ...Array.from(connectors, ([type, schema]) => `### Sinks of type \`${type}\`\n\n${optionTable(schema)}`),
    '## Known and refused\n',
    table(['Setting', 'Answer'], Object.entries({ ...prefixed(REFUSED_IN_SOURCE, 'source'), ...prefixed(REFUSED_IN_SINK, 'sinks[]') })),
  ];
  return `${sections.join('\n').trimEnd()}\n`;
}

function processRow([path, option]: readonly [string, ProcessOption]): string[] {
  const { format, default: fallback, min, max } = option;
  const type = { 'tm-switch': 'boolean', 'tm-whole': 'integer', 'tm-amount': 'number' }[String(format)] ?? 'string';
  const schema: JsonSchema = {
    type,
    ...(typeof format !== 'string' && { enum: format }),
    ...(min !== undefined && { minimum: min }),
    ...(max !== undefined && { maximum: max }),
  };
  const orAuto: JsonSchema = format === 'tm-processes' ? { anyOf: [{ ...schema, type: 'integer' }, { const: 'auto' }] } : schema;
  const shown = fallback === null ? (option.nullable ? '' : 'required') : code(fallback);
  return [code(path), typeText(orAuto), shown, code(option.env), option.doc];
}

function optionTable(schema: JsonSchema): string {
  const rows = optionRows(schema, '');
  if (rows.length === 0) return 'No options of its own.\n';
  return table(['Option', 'Type', 'Default', 'Meaning'], rows);
}

function optionRows(schema: JsonSchema, prefix: string): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, option]) => {
    const fallback = option.default !== undefined ? code(option.default) : schema.required?.includes(name) ? 'required' : '';
    const row = [code(prefix + name), typeText(option), fallback, meaning(option)];
    return [row, ...distinct(inner(option).flatMap(part => optionRows(part, `${prefix}${name}.`)))];
  });
}

/** Maps inside an option, those of a union and of a list included. */
function inner(option: JsonSchema): JsonSchema[] {
  const { items } = option;
  const item = items === undefined || Array.isArray(items) ? [] : inner(items as JsonSchema);
  const parts = [...(option.anyOf ?? []), ...(option.oneOf ?? [])].flatMap(inner);
  return [...(option.properties === undefined ? [] : [option]), ...parts, ...item];
}

/** One row for a field that several members of a union have; its values are joined. */
function distinct(rows: readonly string[][]): string[][] {
  const byName = new Map<string, string[]>();
  for (const [name = '', type = '', fallback = '', text = ''] of rows) {
    const before = byName.get(name);
    const join = (a: string | undefined, b: string, by: string) =>
      a === undefined || a === b || a === '' ? b : b === '' ? a : `${a}${by}${b}`;
    byName.set(name, [name, join(before?.[1], type, ' or '), join(before?.[2], fallback, ', '), join(before?.[3], text, ' ')]);
  }
  return [...byName.values()];
}

function meaning(option: JsonSchema): string {
  return `${option.description ?? ''}${option.secret ? ' Secret.' : ''}`.trim();
}

function typeText(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return [...new Set(union.map(typeText))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'values' : typeText(schema.items as JsonSchema)}`;
  if (schema.type === 'object') return 'map';
  if (schema.type === 'boolean') return 'true, false';
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  return schema.type === 'string' ? 'text' : 'any value';
}

function numberText({ type, minimum, maximum }: JsonSchema): string {
  const word = type === 'integer' ? 'whole number' : 'number';
  // zod bounds every whole number by what JavaScript can count; that is nothing to tell.
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low === undefined && high === undefined) return word;
  if (low === high) return code(low);
  if (high === undefined) return `${word}, at least ${low}`;
  return low === undefined ? `${word}, at most ${high}` : `${word}, ${low} to ${high}`;
}

function prefixed(refused: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(refused).map(([name, text]) => [code(`${prefix}.${name}`), text]));
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return `${[line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')}\n`;
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
