/**
 * The settings as one may show them. What is secret is known by its field (convict's `sensitive`, zod's `secret`) or by its origin (`${…}`); what a
 * secret stood for is also cut out of any other text, should a connector have put it somewhere else.
 */
import { REDACTED, secretCutter } from '../model/secrets.ts';
import { processOptions } from './process-schema.ts';
import { isSecretAt, jsonSchemaOf } from './schema-shape.ts';
import type { Settings, SinkSettings } from './settings.ts';
import { sourceSchema } from './source-schema.ts';
import { nodeAt, type Path, type TreeNode } from './tree.ts';

const SENSITIVE = new Set(Array.from(processOptions()).flatMap(([path, option]) => (option.sensitive ? [path] : [])));

export interface Shown {
  /** In the shape of a settings file, defaults included. */
  readonly shown: unknown;
  /** What must not reach a log: what references stood for, and the values of secret fields. */
  readonly secrets: readonly string[];
}

export function redacted(settings: Settings, root: TreeNode, references: ReadonlySet<string>): Shown {
  const secrets = new Set(references);
  const collected = (value: unknown, path: Path): unknown => {
    if (hides(settings, root, path)) {
      for (const text of texts(value)) secrets.add(text);
      return REDACTED;
    }
    if (Array.isArray(value)) return value.map((item, i) => collected(item, [...path, i]));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, collected(v, [...path, k])]),
    );
  };
  const shown = collected({ ...settings, pipelines: settings.pipelines.map(p => ({ ...p, sinks: p.sinks.map(fileForm) })) }, []);
  const cut = secretCutter(secrets);
  for (const name of identities(settings)) if (name !== undefined) secrets.delete(name);
  return { shown: scrubbed(shown, cut), secrets: [...secrets] };
}

/** What logs, metrics and status must be able to name, also where it came by reference. */
function identities({ name, state, log, pipelines }: Settings): (string | undefined)[] {
  const named = pipelines.flatMap(pipeline => [
    pipeline.name,
    pipeline.source.table,
    pipeline.source.region,
    ...pipeline.sinks.flatMap(sink => [sink.name, sink.type]),
  ]);
  return [name, state.region, log.level, log.format, ...named];
}

/** As in the file: the connector's own options stand beside the others. */
function fileForm({ connector: _, delivery, options, ...rest }: SinkSettings): object {
  return { ...rest, ...delivery, ...(options as object) };
}

function hides(settings: Settings, root: TreeNode, path: Path): boolean {
  const node = nodeAt(root, path);
  if (node?.kind === 'scalar' && node.reference !== undefined) return true;
  const [first, pipeline, part, ...rest] = path;
  if (first !== 'pipelines') return SENSITIVE.has(path.join('.'));
  if (part === 'source') return isSecretAt(jsonSchemaOf(sourceSchema), rest);
  const [sink, ...option] = rest;
  const connector = settings.pipelines[Number(pipeline)]?.sinks[Number(sink)]?.connector;
  return part === 'sinks' && connector !== undefined && isSecretAt(jsonSchemaOf(connector.schema), option);
}

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}

function scrubbed(value: unknown, cut: (text: string) => string): unknown {
  if (typeof value === 'string') return cut(value);
  if (Array.isArray(value)) return value.map(item => scrubbed(item, cut));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scrubbed(v, cut)]));
}
