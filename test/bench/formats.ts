/** What a record costs to encode, beside JSON.stringify of the same images. */
import { FORMATS } from '../../src/formats/encoded.ts';
import { encoder } from '../../src/formats/encoder.ts';
import { manyChanges, TableScript } from '../fakes/records.ts';
import { type Measured, measured } from './measure.ts';

export async function benchFormats(): Promise<Measured[]> {
  const records = manyChanges(new TableScript({ attributes: n => ({ text: { S: 'x'.repeat(300) }, n: { N: String(n) } }) }), 5_000, 500);
  const rows = [
    await measured('JSON.stringify of both images', async () => {
      for (const { before, after } of records) JSON.stringify({ before, after });
      return records.length;
    }),
  ];
  for (const format of FORMATS) {
    const encode = encoder(format);
    rows.push(
      await measured(format, async () => {
        for (const record of records) encode(record);
        return records.length;
      }),
    );
  }
  return rows;
}
