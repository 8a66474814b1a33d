/** The connector's own options, checked, every field described. What kafkajs cannot do (Snappy, LZ4, IPv6 literals) is refused here, with the reason. */
import { z } from 'zod';
import { always, awsFields, textThat } from '../../src/connector.ts';
import { FORMATS } from '../../src/formats/encoded.ts';
import { brokerProblem } from './brokers.ts';

const text = z.string().min(1);
const secret = (description: string) => text.meta({ description, secret: true });

const userAndPassword = {
  username: text.meta({ description: 'User name.' }),
  password: secret('Its password; best given by reference, as `${env:KAFKA_PASSWORD}`.'),
};

const sasl = z.discriminatedUnion('mechanism', [
  z.strictObject({ mechanism: z.literal('plain').meta({ description: 'User name and password; only over `ssl`.' }), ...userAndPassword }),
  z.strictObject({ mechanism: z.literal('scram-sha-256').meta({ description: 'SCRAM with SHA-256.' }), ...userAndPassword }),
  z.strictObject({ mechanism: z.literal('scram-sha-512').meta({ description: 'SCRAM with SHA-512.' }), ...userAndPassword }),
  z
    .strictObject({
      mechanism: z.literal('oauthbearer').meta({ description: 'A bearer token, from a file or a module.' }),
      tokenFile: text
        .optional()
        .meta({ description: 'File with the token. It is read anew for every connection, so it may be rotated in place.' }),
      module: text.optional().meta({
        description:
          'Module (absolute path, `file:` URL or package name) whose default export is an async function that answers the token as text.',
      }),
    })
    .refine(it => (it.tokenFile === undefined) !== (it.module === undefined), { ...always, error: 'give either tokenFile or module' }),
  z.strictObject({
    mechanism: z
      .literal('aws-msk-iam')
      .meta({ description: 'IAM of Amazon MSK; needs the package aws-msk-iam-sasl-signer-js beside Tidemark.' }),
    region: awsFields.region.unwrap().meta({ description: 'Region of the cluster.' }),
    roleArn: awsFields.roleArn.meta({ description: 'Role to assume. Default: the ordinary AWS credentials.' }),
  }),
]);

const ssl = z.union([
  z.boolean(),
  z.strictObject({
    ca: text.optional().meta({ description: 'Certificates to trust, PEM; best as `${file:/path/ca.pem}`. Default: those of Node.' }),
    cert: text.optional().meta({ description: 'Own certificate, PEM, where the brokers ask for one.' }),
    key: text.optional().meta({ description: 'Its private key, PEM; best given by reference.', secret: true }),
    passphrase: text.optional().meta({ description: 'Of the private key.', secret: true }),
    servername: text.optional().meta({ description: 'Name to expect in the brokers’ certificates, where it is not their address.' }),
    rejectUnauthorized: z.boolean().optional().meta({ description: 'false trusts any certificate. Default: true.' }),
  }),
]);

export const optionsSchema = z.strictObject({
  brokers: z
    .array(textThat(/^[^\s:/,[\]]+:\d{1,5}$/, brokerProblem))
    .min(1)
    .meta({ description: 'Brokers to ask first, as host:port; the others are learned from them.' }),
  topic: z
    .string()
    .regex(
      /^(?!\.{1,2}$)(?=.{1,249}$)(?:[A-Za-z0-9._-]|\{table\})+$/,
      'expected the name of a topic: 1 to 249 of a-z, A-Z, 0-9, ., _ and -, perhaps with {table} in it; not . or ..',
    )
    .meta({ description: 'Topic. `{table}` stands for the name of the source table.' }),
  format: z
    .enum(FORMATS)
    .default('debezium')
    .meta({ description: 'Form of a message; `cloudevents` is the binary mode of its Kafka binding.' }),
  values: z.enum(['typed', 'plain']).optional().meta({
    description:
      'Images as DynamoDB JSON (`typed`) or as plain JSON values with lossless numbers (`plain`). Default: typed, and plain for format `json`. The AWS shapes (`lambda`, `kds`, `dynamodb-json`) are always typed, and so are the data of `cloudevents`.',
  }),
  clientId: text.default('tidemark').meta({ description: 'Name under which the brokers log and limit us.' }),
  ssl: ssl.default(false).meta({ description: 'TLS: true, or its settings.' }),
  sasl: sasl.optional().meta({ description: 'How to log in. Default: not at all.' }),
  compression: z
    .enum(['none', 'gzip', 'zstd'], { error: 'expected none, gzip or zstd (the client has no snappy or lz4)' })
    .default('none')
    .meta({ description: 'Of a request’s messages.' }),
  acks: z
    .union([z.literal(-1), z.literal(1)], { error: 'expected -1 or 1 (0 would confirm nothing, so nothing could be promised)' })
    .default(-1)
    .meta({
      description:
        '-1: all in-sync replicas have the message when it counts as written. 1: only its leader, so a leader that dies may lose it.',
    }),
  tombstones: z.boolean().default(true).meta({ description: 'A second message without value follows a removal, for log compaction.' }),
  createTopic: z.boolean().default(false).meta({ description: 'Create a topic that is missing, with the brokers’ own defaults.' }),
  timestamp: z.enum(['change', 'now']).default('change').meta({
    description:
      'Time of a message: of the change, or of the sending. Retention counts from it, so the broker may delete old changes right after it has acknowledged them. Snapshot, replay, redrive and repair always use `now`, and so does a message whose time the broker refuses.',
  }),
});

export type KafkaOptions = z.output<typeof optionsSchema>;
export type SaslOptions = NonNullable<KafkaOptions['sasl']>;
