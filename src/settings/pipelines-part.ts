/** The pipelines of the settings: sources and sinks one by one, then what they must not be to each other. */
import { type LoadedConnector, loadConnectors } from './connector-loader.ts';
import { checkMemory, checkNames, checkRenames, checkTables, checkTargets } from './cross-checks.ts';
import type { Findings } from './findings.ts';
import type { PipelineSettings, ProcessSettings, SinkSettings, SourceSettings } from './settings.ts';
import { sinkSettings, typeOf, withoutRefused } from './sink-part.ts';
import { pipelineSchema, REFUSED_IN_SOURCE, sourceSchema } from './source-schema.ts';
import { childOf, numberOf, type Path, type TreeNode } from './tree.ts';
import { checked, type Part } from './zod-check.ts';

export interface PipelineOptions {
  readonly limits: ProcessSettings['limits'];
  readonly state: ProcessSettings['state'];
  /** Where packages are looked for first. */
  readonly folders: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

interface Draft {
  readonly name: string | undefined;
  readonly source: SourceSettings | undefined;
  readonly sinks: readonly { readonly sink: SinkSettings; readonly path: Path }[];
}

/** Reports into `findings`; what it returns is whole only if nothing was found. */
export async function pipelineSettings(
  findings: Findings,
  { limits, state, folders, env }: PipelineOptions,
): Promise<{ readonly pipelines: readonly PipelineSettings[]; readonly warnings: readonly string[] }> {
  const list = childOf(findings.root, 'pipelines');
  if (list?.kind !== 'list' || list.items.length === 0) {
    findings.value(['pipelines'], `${list === undefined ? 'is missing: ' : ''}expected a list with at least one pipeline`);
    return { pipelines: [], warnings: [] };
  }
  const connectors = await loadConnectors(list.items.flatMap(typesIn), folders);
  const drafts = list.items.map((node, i) => draft(findings, { node, path: ['pipelines', i] }, connectors));
  checkNames(findings, list, ['pipelines']);
  const sources = drafts.map(({ source }) => source);
  checkTables(findings, sources, env);
  for (const { source, sinks } of drafts) checkTargets(findings, { source, sinks, state }, env);
  const warnings = checkMemory(
    findings,
    limits,
    drafts.flatMap(({ sinks }) => sinks),
  );
  return { pipelines: drafts.flatMap(whole), warnings };
}

function typesIn(pipeline: TreeNode): string[] {
  const sinks = childOf(pipeline, 'sinks');
  return sinks?.kind === 'list' ? sinks.items.map(typeOf).filter(type => type !== undefined) : [];
}

function draft(findings: Findings, { node, path }: Part, connectors: ReadonlyMap<string, LoadedConnector>): Draft {
  const frame = checked(findings, pipelineSchema, { node, path });
  const source = sourceSettings(findings, { node: childOf(node, 'source'), path: [...path, 'source'] });
  const list = childOf(node, 'sinks');
  if (list?.kind !== 'list') return { name: frame?.name, source, sinks: [] };
  const at = [...path, 'sinks'];
  checkNames(findings, list, at);
  checkRenames(findings, list, at);
  const sinks = list.items.flatMap((item, i) => {
    const sink = sinkSettings(findings, { node: item, path: [...at, i] }, connectors);
    return sink === undefined ? [] : [{ sink, path: [...at, i] }];
  });
  return { name: frame?.name, source, sinks };
}

function sourceSettings(
  findings: Findings,
  { node, path }: { readonly node: TreeNode | undefined; readonly path: Path },
): SourceSettings | undefined {
  if (node === undefined) {
    findings.value(path, 'is missing: expected a map with table');
    return undefined;
  }
  const allowed = withoutRefused(findings, { node, path }, REFUSED_IN_SOURCE);
  const refused = allowed !== node && childOf(node, 'table') === undefined && childOf(node, 'tables') !== undefined;
  const [idle, poll] = ['idleMilliseconds', 'pollMilliseconds'].map(key => numberOf(childOf(node, key)));
  if (idle !== undefined && idle < (poll ?? 250)) findings.value([...path, 'idleMilliseconds'], 'expected at least pollMilliseconds');
  const source = refused ? undefined : checked(findings, sourceSchema, { node: allowed, path });
  if (source === undefined) return undefined;
  const { idleMilliseconds, snapshot: _, ...rest } = source;
  return { ...rest, idleMilliseconds: idleMilliseconds ?? Math.max(250, source.pollMilliseconds) };
}

function whole({ name, source, sinks }: Draft): PipelineSettings[] {
  return name === undefined || source === undefined ? [] : [{ name, source, sinks: sinks.map(({ sink }) => sink) }];
}
