/** Writes every change into a table of another region (or account), so that the two become and stay the same. */
import type { Connector } from '../../src/connector.ts';
import { needs } from './judge.ts';
import { openReplica } from './open.ts';
import { type Options, schema, tables, traits } from './options.ts';

const connector: Connector<Options> = { schema, traits, needs, tables, open: (options, host) => openReplica(options, host) };

export default connector;
