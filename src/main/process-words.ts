/** What the first process of a `run` and its worker processes say to each other over Node's channel between them. The first one asks, by number. */
import type { SinkName } from '../model/units.ts';

export type Ask =
  | { readonly what: 'status' | 'notReady' | 'metrics' }
  | { readonly what: 'pause' | 'resume'; readonly pipeline: string; readonly sink: SinkName };

/** To a worker process. */
export type Order = { readonly stop: string } | { readonly id: number; readonly ask: Ask };

/** From it; `up` once it can answer. */
export type Word =
  | { readonly up: true }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: string };
