/**
 * `TIDEMARK_ADMIN_PORT` and the like override process settings. What Kubernetes writes into the same name space for a Service called `tidemark` is told
 * apart here: a port of `tcp://10.0.0.1:9464` must not end the process.
 */
const PREFIX = 'TIDEMARK_';
const KUBERNETES_NAME = /_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const KUBERNETES_VALUE = /^(?:tcp|udp|sctp):\/\//;

export interface Overrides {
  /** Of known settings only; empty texts count as absent. */
  readonly env: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

export function environmentOverrides(
  env: Readonly<Record<string, string | undefined>>,
  known: ReadonlySet<string>,
  referred: ReadonlySet<string>,
): Overrides {
  const ours = Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== '');
  const kubernetes = ours.filter(([name, value]) => KUBERNETES_NAME.test(name) || KUBERNETES_VALUE.test(value ?? ''));
  const made = new Set(kubernetes.map(([name]) => name));
  const rest = ours.filter(([name]) => !made.has(name));
  const unknown = rest.filter(([name]) => !known.has(name) && !referred.has(name)).map(([name]) => name);
  const warnings: string[] = [];
  if (made.size > 0) {
    warnings.push(`ignored what Kubernetes sets for a service: ${[...made].sort().join(', ')}; enableServiceLinks: false keeps them out`);
  }
  if (unknown.length > 0) {
    warnings.push(`ignored, for no setting is named so: ${unknown.sort().join(', ')}; pipelines are set by file or --set`);
  }
  return { env: Object.fromEntries(rest.filter(([name]) => known.has(name)).map(([name, value]) => [name, value ?? ''])), warnings };
}
