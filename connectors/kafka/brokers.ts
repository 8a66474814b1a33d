/** A broker's address, as the client takes it; people paste them from other tools, in forms of theirs. */

const HOST = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\.?$/;

/** What is wrong with it; undefined when nothing is. */
export function brokerProblem(text: string): string | undefined {
  if (text.includes(',')) return 'expected one host:port; make several brokers several entries of the list';
  if (text.includes('://')) return 'expected host:port without what stands before ://; TLS and logins are set by ssl and sasl';
  if (/[[\]]|:.*:/.test(text)) return 'expected host:port with a host name or an IPv4 address; the client has no IPv6 literals';
  const [host = '', port] = text.split(':');
  if (port === undefined || port === '') return 'expected host:port; the port is missing, mostly 9092';
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return 'expected host:port with a port from 1 to 65535';
  return HOST.test(host) ? undefined : 'expected host:port; this cannot be a host name or an IPv4 address';
}
