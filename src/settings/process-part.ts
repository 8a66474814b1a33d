/**
 * The part of the settings that convict owns. The shape is checked here, with places; convict then lays file and environment over the defaults and
 * checks every value. Of its errors only setting and reason are kept: the value that it appends may be a secret.
 */
import convict from 'convict';
import './formats.ts';
import type { Findings } from './findings.ts';
import { isOption, PROCESS_SCHEMA, type ProcessOption, type ProcessSection, processOptions } from './process-schema.ts';
import type { ProcessSettings } from './settings.ts';
import { nodeAt, type Path, type TreeNode } from './tree.ts';

/** Convict's own arguments and environment would be those of the process: both are always given. */
const NO_ARGUMENTS: string[] = [];

/** Reports into `findings`; what it returns is whole only if nothing was found. `env` holds known variables only. */
export function processSettings(findings: Findings, env: Readonly<Record<string, string>>): ProcessSettings {
  const options = processOptions();
  const variables = effectiveVariables(findings.root, env, options);
  const given = shape(findings, findings.root, { section: PROCESS_SCHEMA, path: [] });

  const config = convict<object>(PROCESS_SCHEMA as never, { env: variables, args: NO_ARGUMENTS });
  config.load(given);
  for (const { path, message } of convictErrors(config)) {
    const option = options.get(path);
    const text = option?.refusal ?? message;
    if (option !== undefined && variables[option.env] !== undefined) findings.variable(option.env, path, text);
    else findings.value(path.split('.'), text);
  }
  const properties = config.getProperties();
  const settings = filledIn(properties);
  crossChecks(findings, settings);
  checkTakeover(findings, withoutNulls(properties) as ProcessSettings);
  return settings;
}

/** What the command line sets is not overridden by the environment. */
function effectiveVariables(
  root: TreeNode,
  env: Readonly<Record<string, string>>,
  options: ReadonlyMap<string, ProcessOption>,
): Record<string, string> {
  const set = new Set(
    Array.from(options)
      .filter(([path]) => 'argument' in (nodeAt(root, path.split('.'))?.place ?? {}))
      .map(([, option]) => option.env),
  );
  return Object.fromEntries(Object.entries(env).filter(([name]) => !set.has(name)));
}

interface Level {
  readonly section: ProcessSection;
  readonly path: Path;
}

/** The values of known settings, as an object of convict's shape; all else is reported. */
function shape(findings: Findings, node: TreeNode, { section, path }: Level): Record<string, unknown> {
  if (node.kind === 'scalar' && node.value === null) return {};
  if (node.kind !== 'map') {
    findings.value(path, `expected a map with ${Object.keys(section).join(', ')}`);
    return {};
  }
  const found: [string, unknown][] = [];
  for (const [key, { node: child }] of node.entries) {
    const at = [...path, key];
    if (path.length === 0 && key === 'pipelines') continue;
    const entry = Object.hasOwn(section, key) ? section[key] : undefined;
    if (entry === undefined) {
      const allowed = [...Object.keys(section), ...(path.length === 0 ? ['pipelines'] : [])];
      findings.key(at, `unknown setting; allowed: ${allowed.join(', ')}`);
    } else if (!isOption(entry)) found.push([key, shape(findings, child, { section: entry, path: at })]);
    else if (child.kind === 'scalar') found.push([key, child.value]);
    else findings.value(at, `expected one value, not a ${child.kind}`);
  }
  return Object.fromEntries(found);
}

function convictErrors(config: convict.Config<object>): { path: string; message: string }[] {
  try {
    config.validate({ allowed: 'strict' });
    return [];
  } catch (error) {
    return (error as Error).message.split('\n').map(line => {
      const [, path = '', message = ''] = /^([\w.]+): (.*?)(?:: value was .*)?$/.exec(line) ?? [];
      if (path === '') throw new Error('an error of convict in an unknown form', { cause: error });
      return {
        path,
        message: message.replace(/^must be one of the possible values: \[(.*)\]$/, (_, list: string) => `expected one of ${inWords(list)}`),
      };
    });
  }
}

function inWords(list: string): string {
  return list.replaceAll('"', '').replaceAll(',', ', ');
}

/** Convict's null is our absent; defaults that depend on other settings are put in. */
function filledIn(properties: object): ProcessSettings {
  const plain = withoutNulls(properties) as ProcessSettings;
  return {
    ...plain,
    state: {
      ...plain.state,
      leaseTable: plain.state.leaseTable ?? `${plain.name}-leases`,
      controlTable: plain.state.controlTable ?? `${plain.name}-control`,
    },
  };
}

function withoutNulls(value: object): object {
  const entries = Object.entries(value)
    .filter(([, v]) => v !== null)
    .map(([k, v]) => [k, typeof v === 'object' ? withoutNulls(v) : v] as const)
    .filter(([k, v]) => k !== 'credentials' || Object.keys(v).length > 0);
  return Object.fromEntries(entries);
}

/** Nobody guesses which application's table it is. */
function checkTakeover(findings: Findings, { leases, state }: { leases: ProcessSettings['leases']; state: { leaseTable?: string } }): void {
  if (leases.mode !== 'kcl-takeover' || state.leaseTable !== undefined) return;
  findings.value(
    ['leases', 'mode'],
    "kcl-takeover needs state.leaseTable: the lease table of the Java application, which has the application's name",
  );
}

function crossChecks(findings: Findings, { state, leases }: ProcessSettings): void {
  const { accessKeyId, secretAccessKey, sessionToken } = (state.credentials ?? {}) as Readonly<Record<string, unknown>>;
  const some = accessKeyId ?? secretAccessKey ?? sessionToken;
  if (some !== undefined && (accessKeyId === undefined || secretAccessKey === undefined)) {
    findings.value(['state', 'credentials'], 'accessKeyId and secretAccessKey go together');
  }
  if (state.leaseTable === state.controlTable) findings.value(['state', 'controlTable'], 'must be another table than leaseTable');
  if (leases.renewSeconds > leases.durationSeconds / 2) {
    findings.value(['leases', 'renewSeconds'], 'at most half of durationSeconds, or a late renewal loses the lease');
  }
}
