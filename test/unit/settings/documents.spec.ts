/** What is generated is fresh, and what is shown as an example loads. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parse } from 'yaml';
import { builtInTypes } from '../../../src/settings/connector-loader.ts';
import { sinkSchema } from '../../../src/settings/delivery-schema.ts';
import { connectorSchemas, fileSchema } from '../../../src/settings/file-schema.ts';
import { processOptions } from '../../../src/settings/process-schema.ts';
import { referenceText } from '../../../src/settings/reference.ts';
import type { JsonSchema } from '../../../src/settings/schema-shape.ts';
import { sourceSchema } from '../../../src/settings/source-schema.ts';
import { mistakes } from './workshop.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const text = (name: string) => readFileSync(`${ROOT}${name}`, 'utf8');

describe('documents', () => {
  it('config/schema.json is what `tidemark config schema` prints', async () => {
    const fresh = `${JSON.stringify(fileSchema(await connectorSchemas()), null, 2)}\n`;
    const advice = 'run: npm run --silent tidemark -- config schema > config/schema.json';
    expect(text('config/schema.json') === fresh, advice).to.equal(true);
  });

  it('config/REFERENCE.md is what `tidemark config reference` prints', async () => {
    const advice = 'run: npm run --silent tidemark -- config reference > config/REFERENCE.md';
    expect(text('config/REFERENCE.md') === referenceText(await connectorSchemas()), advice).to.equal(true);
  });

  const examples = ['config/example.yaml', 'config/local.yaml', ...globSync('connectors/*/sample.yaml', { cwd: ROOT })];
  for (const file of examples) {
    it(`${file} loads`, async () => {
      expect(await mistakes(`${ROOT}${file}`, { lookUpSecrets: false })).to.deep.equal([]);
    });
  }

  it('every connector has a sample', () => {
    for (const type of builtInTypes()) expect(existsSync(`${ROOT}connectors/${type}/sample.yaml`), type).to.equal(true);
  });

  it('config/example.yaml shows every option of process, source and delivery, and every connector', () => {
    const example = text('config/example.yaml');
    const names = [...processOptions().keys()].map(path => path.split('.').at(-1) ?? '');
    for (const name of [...names, ...Object.keys(sourceSchema.shape), ...Object.keys(sinkSchema.shape)]) {
      expect(new RegExp(`\\b${name}:`).test(example), name).to.equal(true);
    }
    const types = (parse(example) as { pipelines: { sinks: { type: string }[] }[] }).pipelines.flatMap(p => p.sinks.map(s => s.type));
    expect(types).to.include.members([...builtInTypes()]);
  });

  it('every option is described', async () => {
    const undescribed = (schema: JsonSchema, path: string): string[] =>
      Object.entries(schema.properties ?? {}).flatMap(([name, option]) => [
        ...(option.description ? [] : [`${path}.${name}`]),
        ...[option, ...(option.anyOf ?? []), ...(option.oneOf ?? [])].flatMap(part => undescribed(part, `${path}.${name}`)),
      ]);
    for (const [type, schema] of await connectorSchemas()) expect(undescribed(schema, type)).to.deep.equal([]);
  });
});
