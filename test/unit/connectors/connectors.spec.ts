/** What is said of all connectors together. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { FORMATS } from '../../../src/formats/encoded.ts';
import { builtInTypes } from '../../../src/settings/connector-loader.ts';

describe('connectors/README.md', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../connectors/README.md', import.meta.url)), 'utf8');

  it('has a line for each connector, and no other', () => {
    const named = [...text.matchAll(/^\| \[([a-z0-9-]+)\]\(([^)]+)\) +\|/gm)].map(([, name, link]) => [name, link]);
    expect(named.toSorted()).to.deep.equal(builtInTypes().map(type => [type, `${type}/README.md`]));
  });

  it('has a line for each format', () => {
    for (const format of FORMATS) expect(text).to.match(new RegExp(`^\\| \`${format}\` +\\|`, 'm'));
  });
});
