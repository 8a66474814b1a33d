/**
 * What AWS says of names and addresses, as far as it can be told without asking anybody, each with a sentence for whoever wrote another one. Local
 * servers and stores of other makers have regions of their own (`local`, `auto`), so a region is only what can stand in a host name.
 */

export interface TextRule {
  readonly pattern: RegExp;
  readonly says: string;
}

export const REGION: TextRule = {
  pattern: /^(?![a-z]{2,}(?:-[a-z]+)+-\d+[a-z]$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  says: 'expected a region, as us-east-1 (us-east-1a is an availability zone of it)',
};

const ROLE_SAYS = 'expected the ARN of a role, as arn:aws:iam::123456789012:role/NAME';
export const ROLE: TextRule = { pattern: /^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/, says: ROLE_SAYS };

export const TABLE: TextRule = {
  pattern: /^[A-Za-z0-9_.-]{3,255}$/,
  says: 'expected the name of a table: 3 to 255 of a-z, A-Z, 0-9, _, - and .',
};

/** A table to write to, by name or ARN, in which `{table}` stands for the source's name. */
export const TABLE_TEMPLATE: TextRule = {
  pattern: /^(?:arn:[\w-]+:dynamodb:[\w-]+:\d{12}:table\/)?(?=.{3,255}$)(?:[A-Za-z0-9_.-]|\{table\})+$/,
  says: `${TABLE.says}, perhaps with {table} in it; or the ARN of one`,
};

export const STREAM_TEMPLATE: TextRule = {
  pattern: /^(?:arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream\/)?(?=.{1,128}$)(?:[A-Za-z0-9_.-]|\{table\})+$/,
  says: 'expected the name of a stream: 1 to 128 of a-z, A-Z, 0-9, _, - and ., perhaps with {table} in it; or the ARN of one',
};

/** Of a bucket, or an access point's alias or ARN. */
export const BUCKET: TextRule = {
  pattern: /^(?:arn:[\w-]+:s3[\w-]*:[\w-]*:\d{12}:[\w/:.-]+|(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)(?!xn--)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/,
  says: 'expected the name of a bucket: 3 to 63 of a-z, 0-9, . and -, a letter or digit at each end, no two dots together, and no IP address',
};

const ADDRESS_SAYS = 'expected an address as http://host:port or https://host';

/** The least that an address has, for editors. */
export const ADDRESS = /^https?:\/\/[^\s/?#]+/;

/** What is wrong with the address of a service; undefined when nothing is. */
export function addressProblem(text: string): string | undefined {
  if (!ADDRESS.test(text)) return ADDRESS_SAYS;
  const url = URL.parse(text);
  if (url === null) return `${ADDRESS_SAYS}; the port is a number up to 65535`;
  if (url.username !== '' || url.password !== '') return 'expected an address without user name and password: they belong into credentials';
  if (url.search !== '' || url.hash !== '') return 'expected an address without ? and #';
  return /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?)+$|^\[[0-9a-f:.]+\]$/i.test(url.hostname)
    ? undefined
    : `${ADDRESS_SAYS}; this host name cannot be one`;
}

/** Where a server of ours listens: a name or an IP address, no port. */
export const HOST: TextRule = {
  pattern:
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+(?:%\w+)?)$/,
  says: 'expected a host name or an IP address, without a port (that is admin.port)',
};
