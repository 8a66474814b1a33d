/**
 * How to log in, as kafkajs wants it. Tokens are asked for anew at every login, so they may be rotated while we run. The signer of Amazon MSK is a
 * package that only its users need: it is imported when it is configured.
 */
import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { KafkaConfig } from 'kafkajs';
import { SinkFault } from '../../src/connector.ts';
import { bearer, type Token } from './bearer.ts';
import type { SaslOptions } from './options.ts';

const MSK_SIGNER = 'aws-msk-iam-sasl-signer-js';

interface MskSigner {
  generateAuthToken(options: { region: string }): Promise<{ token: string }>;
  generateAuthTokenFromRole(options: { region: string; awsRoleArn: string }): Promise<{ token: string }>;
}

export async function kafkajsSasl(sasl: SaslOptions | undefined): Promise<KafkaConfig['sasl']> {
  if (sasl === undefined) return undefined;
  if (sasl.mechanism === 'oauthbearer') {
    return bearer(sasl.tokenFile === undefined ? await moduleToken(sasl.module ?? '') : fileToken(sasl.tokenFile));
  }
  if (sasl.mechanism === 'aws-msk-iam') return bearer(await mskToken(sasl));
  // A copy: the client writes into it, and settings are frozen.
  return { ...sasl };
}

function fileToken(file: string): Token {
  return async () => (await readFile(file, 'utf8')).trim();
}

async function moduleToken(module: string): Promise<Token> {
  const loaded = await load(isAbsolute(module) ? pathToFileURL(module).href : module, 'sasl.module');
  const token = loaded['default'];
  if (typeof token !== 'function') throw new SinkFault('halt', `sasl.module ${module}: its default export is not a function`);
  return async () => String(await token());
}

async function mskToken({ region, roleArn }: { region: string; roleArn?: string | undefined }): Promise<Token> {
  const loaded = await load(MSK_SIGNER, `sasl mechanism aws-msk-iam needs the package ${MSK_SIGNER}: npm install ${MSK_SIGNER}`);
  const signer = loaded as unknown as MskSigner;
  return async () => {
    const signed =
      roleArn === undefined
        ? await signer.generateAuthToken({ region })
        : await signer.generateAuthTokenFromRole({ region, awsRoleArn: roleArn });
    return signed.token;
  };
}

async function load(specifier: string, what: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await import(specifier);
  } catch (cause) {
    throw new SinkFault('halt', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}
