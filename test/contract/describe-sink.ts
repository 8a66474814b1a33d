/**
 * The contract suite of connectors: `describeSink('<type>', suite)` in `connectors/<type>/<type>.spec.ts` (against a fake) and in
 * `<type>.contract.spec.ts` (against a real server). It reads the connector's traits and promises and picks its cases. What a target cannot show is
 * declared in `cannot`, with the reason, and stands in the report.
 */
import { abortCases } from './sink/cases-abort.ts';
import { batchCases } from './sink/cases-batches.ts';
import { faultCases } from './sink/cases-faults.ts';
import { lifeCases } from './sink/cases-life.ts';
import { valueCases } from './sink/cases-values.ts';
import type { SinkCase, SinkSuite } from './sink/suite.ts';

const TIMEOUT_MS = 20_000;

export function describeSink<Options>(name: string, suite: SinkSuite<Options>): void {
  describe(`sink ${name}`, function () {
    this.timeout(suite.timeoutMs ?? TIMEOUT_MS);
    for (const { title, run } of sinkCases(suite)) it(title, run);
  });
}

/** The cases, for those who want to run them otherwise: the suite's own test lets them meet connectors that lie. */
export function sinkCases<Options>(suite: SinkSuite<Options>): SinkCase[] {
  return [...valueCases(suite), ...batchCases(suite), ...faultCases(suite), ...abortCases(suite), ...lifeCases(suite)];
}
