/** The fast twin of `TableApi`: what goes in is what the service gets, and what it answers is what comes out. */
import type { TableApi } from '../ports/table-api.ts';
import type { FastClient } from './fast-client.ts';

export function fastTable(client: FastClient): TableApi {
  return {
    call: async (name, request, signal) => (await client.call(name, request, signal)).json as never,
  };
}
