/** The pipeline's foot: where the sinks' positions of one partition are kept. */
import type { Position } from '../model/position.ts';
import type { SinkName } from '../model/units.ts';

export interface Progress {
  /** Every sink that has a position in this partition. */
  load(): Promise<ReadonlyMap<SinkName, Position>>;
  /**
   * One write for all sinks of the map; others keep theirs. `lost`: we no longer hold the right to save, nothing was written, and the run must stop
   * at once. Trouble with the store is retried inside until it is one or the other.
   */
  save(positions: ReadonlyMap<SinkName, Position>): Promise<'saved' | 'lost'>;
}
