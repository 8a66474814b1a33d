/** What entries of the settings must not be to each other. Names are read from the tree, so that an entry with other mistakes is not left out. */
import type { Findings } from './findings.ts';
import type { AwsSettings, ProcessSettings, SinkSettings, SourceSettings } from './settings.ts';
import { childOf, type ListNode, type Path } from './tree.ts';

const MIB = 1024 * 1024;

/** Names in a list are unique. */
export function checkNames(findings: Findings, list: ListNode, path: Path): void {
  const names = textsOf(list, 'name');
  for (const [i, name] of names.entries()) {
    if (name !== undefined && names.indexOf(name) < i) findings.value([...path, i, 'name'], 'this name is taken by an entry before');
  }
}

/** A former name belongs to nobody now, and to one sink only. */
export function checkRenames(findings: Findings, list: ListNode, path: Path): void {
  const names = textsOf(list, 'name');
  const former = textsOf(list, 'renamedFrom');
  for (const [i, name] of former.entries()) {
    if (name === undefined) continue;
    const at = [...path, i, 'renamedFrom'];
    if (names.includes(name)) findings.value(at, 'a sink of that name is still here; expected a name that no sink has now');
    else if (former.indexOf(name) < i) findings.value(at, 'another sink was renamed from that one already');
  }
}

function textsOf(list: ListNode, key: string): (string | undefined)[] {
  return list.items.map(item => {
    const node = childOf(item, key);
    const known = node?.kind === 'scalar' && node.reference !== 'unresolved';
    return known && typeof node.value === 'string' ? node.value : undefined;
  });
}

type Env = Readonly<Record<string, string | undefined>>;

/** One table has one reading: two pipelines on it would be a third reader of each shard. */
export function checkTables(findings: Findings, sources: readonly (SourceSettings | undefined)[], env: Env): void {
  const identities = sources.map(source => source && tableIdentity(source, env));
  for (const [i, identity] of identities.entries()) {
    if (identity === undefined || identities.indexOf(identity) === i) continue;
    findings.value(['pipelines', i, 'source', 'table'], 'another pipeline reads this table; put the sinks into one pipeline');
  }
}

interface Targets {
  readonly source: SourceSettings | undefined;
  readonly sinks: readonly { readonly sink: SinkSettings; readonly path: Path }[];
  readonly state: ProcessSettings['state'];
}

/** A sink must not write into the table that its pipeline reads, nor into the state tables. What settings cannot tell, the sink finds out by the table's id. */
export function checkTargets(findings: Findings, { source, sinks, state }: Targets, env: Env): void {
  if (source === undefined) return;
  const [read, ...kept] = [source, { ...state, table: state.leaseTable }, { ...state, table: state.controlTable }].map(table =>
    tableIdentity(table, env),
  );
  for (const { sink, path } of sinks) {
    for (const { option, ...target } of sink.connector.tables?.(sink.options, source.table) ?? []) {
      const identity = tableIdentity(target, env);
      if (identity === read) {
        findings.value(
          [...path, option],
          'is the source table itself: each write would come back as a change; expected another table, region or endpoint',
        );
      } else if (kept.includes(identity)) findings.value([...path, option], 'is a state table of this service; expected another table');
    }
  }
}

/** One text for one table, as far as settings can tell: a local address has several spellings, defaults come from the AWS variables. */
function tableIdentity(source: AwsSettings & { readonly table: string }, env: Env): string {
  const region = source.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? '';
  const endpoint = source.endpoint ?? env['AWS_ENDPOINT_URL_DYNAMODB'] ?? env['AWS_ENDPOINT_URL'] ?? '';
  const account = source.roleArn?.split(':')[4] ?? source.credentials?.accessKeyId ?? '';
  return JSON.stringify([source.table, region, oneSpelling(endpoint), account]);
}

function oneSpelling(endpoint: string): string {
  const { origin, pathname } = URL.parse(endpoint) ?? { origin: endpoint, pathname: '' };
  return `${origin}${pathname}`.replace(/\/+$/, '').replace(/\/\/(?:localhost|\[::1\])(?=:|$)/, '//127.0.0.1');
}

/** Windows against the process's memory. Answers what is worth a warning: a sink never gets more than its share. */
export function checkMemory(
  findings: Findings,
  limits: ProcessSettings['limits'],
  sinks: readonly { sink: SinkSettings; path: Path }[],
): string[] {
  const bytes = limits.memoryMiB * MIB;
  const enabled = sinks.filter(({ sink }) => sink.enabled);
  const share = (bytes * 3) / 4 / (enabled.length + 1);
  return enabled.flatMap(({ sink, path }) => {
    const { windowBytes, batchBytes } = sink.delivery;
    for (const [key, asked] of Object.entries({ windowBytes, batchBytes })) {
      if (asked !== undefined && asked > bytes)
        findings.value([...path, key], `more than limits.memoryMiB holds; expected at most ${bytes}`);
    }
    const wanted = windowBytes ?? batchBytes ?? sink.connector.traits(sink.options).batch.bytes;
    if (wanted <= share) return [];
    const what = windowBytes === undefined ? 'a full batch' : 'windowBytes';
    return [
      `sink ${sink.name}: ${what} is more than its share of limits.memoryMiB, ${Math.floor(share)} bytes with ${enabled.length} sinks; the share counts`,
    ];
  });
}
