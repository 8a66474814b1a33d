/** One sink of the settings: its delivery options and its connector's own, which stand side by side in the file, are told apart and checked. */
import type { Connector, Traits } from '../connector.ts';
import type { LoadedConnector } from './connector-loader.ts';
import { deliveryOf, REFUSED_IN_SINK, sinkSchema } from './delivery-schema.ts';
import type { Findings } from './findings.ts';
import { jsonSchemaOf, keysAt } from './schema-shape.ts';
import type { SinkSettings } from './settings.ts';
import { childOf, numberOf, type Path, type TreeNode } from './tree.ts';
import { checked, type Part } from './zod-check.ts';

const HOUSE_KEYS: ReadonlySet<string> = new Set(Object.keys(sinkSchema.shape));

/** Undefined after reporting why not. */
export function sinkSettings(
  findings: Findings,
  { node, path }: Part,
  connectors: ReadonlyMap<string, LoadedConnector>,
): SinkSettings | undefined {
  if (node.kind !== 'map') {
    findings.value(path, 'expected a map with name, type and options');
    return undefined;
  }
  const rest = withoutRefused(findings, { node, path }, REFUSED_IN_SINK);
  const house = checked(findings, sinkSchema, { node: pick(rest, key => HOUSE_KEYS.has(key)), path });
  const loaded = connectors.get(typeOf(node) ?? '');
  if (loaded === undefined) return undefined;
  if ('problem' in loaded) {
    findings.value([...path, 'type'], loaded.problem);
    return undefined;
  }
  checkWindow(findings, node, path);
  const { connector } = loaded;
  const clash = keysAt(jsonSchemaOf(connector.schema)).filter(key => HOUSE_KEYS.has(key));
  if (clash.length > 0) findings.value([...path, 'type'], `the connector names options of its own as ours are named: ${clash.join(', ')}`);
  const options = checked(findings, connector.schema, { node: pick(rest, key => !HOUSE_KEYS.has(key)), path, beside: HOUSE_KEYS });
  if (house === undefined || options === undefined) return undefined;
  const sink: SinkSettings = {
    name: house.name,
    type: house.type,
    enabled: house.enabled,
    renamedFrom: house.renamedFrom,
    startingPosition: house.startingPosition,
    delivery: deliveryOf(house),
    connector,
    options,
  };
  return traitsHold(findings, sink, path) ? sink : undefined;
}

/** The text of `type`, if there is one that can be looked for. */
export function typeOf(node: TreeNode): string | undefined {
  const type = childOf(node, 'type');
  return type?.kind === 'scalar' && typeof type.value === 'string' && type.value !== '' && type.reference !== 'unresolved'
    ? type.value
    : undefined;
}

/** Reports names that are known and refused, and leaves them out. */
export function withoutRefused(findings: Findings, { node, path }: Part, refused: Readonly<Record<string, string>>): TreeNode {
  if (node.kind !== 'map') return node;
  const isRefused = (key: string) => Object.hasOwn(refused, key);
  for (const key of node.entries.keys()) if (isRefused(key)) findings.key([...path, key], refused[key] ?? '');
  return pick(node, key => !isRefused(key));
}

function pick(node: TreeNode, keep: (key: string) => boolean): TreeNode {
  if (node.kind !== 'map') return node;
  return { ...node, entries: new Map(Array.from(node.entries).filter(([key]) => keep(key))) };
}

function traitsOf(connector: Connector<unknown>, options: unknown): Traits | string {
  try {
    return connector.traits(options);
  } catch (error) {
    return (error as Error).message;
  }
}

/** An order over a whole shard leaves no room for two batches at a time, nor for records that go another way when they are old. */
function traitsHold(findings: Findings, { type, delivery, connector, options }: SinkSettings, path: Path): boolean {
  const traits = traitsOf(connector, options);
  if (typeof traits === 'string') {
    findings.value(path, `the connector refuses these options: ${traits}`);
    return false;
  }
  if (traits.order === 'partition') {
    if ((delivery.parallelizationFactor ?? 1) !== 1) {
      findings.value([...path, 'parallelizationFactor'], `expected 1: ${type} writes a shard in order, one batch at a time`);
    }
    if (delivery.maximumRecordAgeInSeconds !== -1) {
      findings.value([...path, 'maximumRecordAgeInSeconds'], `expected -1: what ${type} writes must not depend on when it is written`);
    }
  }
  return true;
}

/** By what is written, so that it is said also where another option is wrong. */
function checkWindow(findings: Findings, node: TreeNode, path: Path): void {
  const [windowBytes, batchBytes] = ['windowBytes', 'batchBytes'].map(key => numberOf(childOf(node, key)));
  if (windowBytes === undefined || batchBytes === undefined || windowBytes >= batchBytes) return;
  findings.value([...path, 'windowBytes'], 'expected at least batchBytes, or a batch could never fill');
}
