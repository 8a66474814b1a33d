/**
 * A mocha reporter that prints as `spec` (or `dot`, for tiers of many small tests) does, and leaves the counts and what failed in a file for the runner
 * of all tiers.
 * Tests that leave a server, socket or timer open would keep mocha alive for ever: it is ended then, as failed, with what is open.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

const OPEN_MS = 15_000;

export default function TierReporter(runner, options) {
  const { style, result } = options.reporterOptions;
  const printer = new (style === 'dot' ? Mocha.reporters.Dot : Mocha.reporters.Spec)(runner, options);
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  runner.on('pass', () => counts.passed++);
  runner.on('fail', (test, error) => {
    counts.failed++;
    failures.push({ title: test.titlePath().join(' › '), error: String(error?.stack ?? error) });
  });
  runner.on('pending', () => counts.skipped++);
  runner.on('end', () => {
    writeFileSync(result, JSON.stringify({ ...counts, failures }));
    setTimeout(endHung, OPEN_MS).unref();
  });
  return printer;
}

function endHung() {
  console.error(
    `The tests have ended ${OPEN_MS / 1000} s ago, but something is still open: ${process.getActiveResourcesInfo().join(', ')}`,
  );
  process.exit(1);
}
