/** Times a piece of work as rate and as CPU of this process, several runs, the median told. */
export interface Measured {
  readonly name: string;
  readonly perSecond: number;
  readonly cpuMicros: number;
}

export async function measured(name: string, run: () => Promise<number>, runs = 3): Promise<Measured> {
  const all: { perSecond: number; cpuMicros: number }[] = [];
  for (let i = 0; i < runs + 1; i += 1) {
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    const units = await run();
    const { user, system } = process.cpuUsage(cpu);
    // The first run warms up.
    if (i > 0) all.push({ perSecond: (units / (performance.now() - startedAt)) * 1000, cpuMicros: (user + system) / units });
  }
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return { name, perSecond: median(all.map(it => it.perSecond)), cpuMicros: median(all.map(it => it.cpuMicros)) };
}

/** Ratios are to the first row: the baseline of the same run. */
export function table(title: string, unit: string, rows: readonly Measured[]): string {
  const [base] = rows;
  const lines = rows.map(row => {
    const ratio = base === undefined ? Number.NaN : row.cpuMicros / base.cpuMicros;
    return `  ${row.name.padEnd(52)} ${Math.round(row.perSecond).toLocaleString('en').padStart(10)} ${unit}/s ${row.cpuMicros.toFixed(1).padStart(8)} µs CPU  x${ratio.toFixed(2)}`;
  });
  return `${title}\n${lines.join('\n')}`;
}
