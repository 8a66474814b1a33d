/**
 * The settings as one may show them. What is secret is known by its field (convict's `sensitive`, zod's `secret`) or by its origin (`${…}`); what a
 * secret stood for is also cut out of any other text, should a connector have put it somewhere else.
 */
import { processOptions } from './process-schema.ts';
import { isSecretAt, jsonSchemaOf } from './schema-shape.ts';
import type { Settings, SinkSettings } from './settings.ts';
import { sourceSchema } from './source-schema.ts';
import { nodeAt, type Path, type TreeNode } from './tree.ts';

export const REDACTED = '[redacted]';
/** Shorter secrets would be found in every other word; by field and origin they are redacted all the same. */
const SHORTEST = 4;
const SENSITIVE = new Set(Array.from(processOptions()).flatMap(([path, option]) => (option.sensitive ? [path] : [])));

/** The text without any of the secrets in it. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  const long = Array.from(secrets)
    .filter(secret => secret.length >= SHORTEST)
    .toSorted((a, b) => b.length - a.length);
  return long.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text);
}

export interface Shown {
  /** In the shape of a settings file, defaults included. */
  readonly shown: unknown;
  /** Every secret: those of the references, and the values of secret fields. */
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
  return { shown: scrubbed(shown, secrets), secrets: [...secrets] };
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

function scrubbed(value: unknown, secrets: ReadonlySet<string>): unknown {
  if (typeof value === 'string') return withoutSecrets(value, secrets);
  if (Array.isArray(value)) return value.map(item => scrubbed(item, secrets));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, scrubbed(v, secrets)]));
}
