/** Both readers give the values that their format means, each at its place. */
import { expect } from 'chai';
import fc from 'fast-check';
import JSON5 from 'json5';
import { json5Tree } from '../../../src/settings/json5-tree.ts';
import { type Path, placeAt, plainOf, type TreeNode } from '../../../src/settings/tree.ts';
import { yamlTree } from '../../../src/settings/yaml-tree.ts';

const READERS = { yaml: yamlTree, json5: json5Tree };

/** What stands in the text where a value is said to be. */
function textAt(text: string, tree: TreeNode, path: Path): string {
  const place = placeAt(tree, path);
  if (!('file' in place)) throw new Error('a place outside the file');
  return text.split('\n')[place.line - 1]?.slice(place.column - 1) ?? '';
}

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps: [string | number, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...steps.flatMap(([step, inner]) => pathsOf(inner, [...path, step]))];
}

describe('trees with places', () => {
  for (const [name, read] of Object.entries(READERS)) {
    it(`${name}: any JSON means the same, and every value begins at its place`, () => {
      fc.assert(
        fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.constantFrom(0, 2), (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          const { tree, problems } = read(text, 'f');
          expect(problems).to.deep.equal([]);
          expect(JSON.stringify(plainOf(tree))).to.equal(JSON.stringify(JSON.parse(text)));
          for (const path of pathsOf(JSON.parse(text))) {
            const at = path.reduce<unknown>((v, step) => (v as Record<string | number, unknown>)[step], JSON.parse(text));
            expect(textAt(text, tree, path).startsWith(JSON.stringify(at).slice(0, 1))).to.equal(true);
          }
        }),
        { numRuns: 200 },
      );
    });
  }

  it('json5: what JSON has not', () => {
    const text = `/* head */ {\r\n  // line\n  plain: 'it\\'s', "a": +1, b: .5, c: 0xFF, d: [Infinity, -1e3,], 'e\\
f': 'two\\
lines', $_ü: null, /* tail */ }`;
    const { tree, problems } = json5Tree(text, 'f');
    expect(problems).to.deep.equal([]);
    expect(plainOf(tree)).to.deep.equal(JSON5.parse(text));
    expect(placeAt(tree, ['c'])).to.deep.equal({ file: 'f', line: 3, column: 38 });
    expect(placeAt(tree, ['ef'])).to.deep.equal({ file: 'f', line: 4, column: 5 });
    expect(placeAt(tree, ['$_ü'])).to.deep.equal({ file: 'f', line: 5, column: 14 });
  });

  it('yaml: an alias inside what it means is told with its place', () => {
    for (const text of ['a: &n [*n]', 'a: &n { b: *n }']) {
      const { problems } = yamlTree(text, 's.yaml');
      expect(problems.map(({ message }) => message)).to.deep.equal(['an alias that stands inside what it means']);
    }
  });

  it('yaml: 100,000 keys of one map are read in seconds', () => {
    const keys = Array.from({ length: 90_000 }, (_, n) => `k${n}: v`);
    const { tree, problems } = yamlTree([...keys, 'k5: w'].join('\n'), 's.yaml');
    expect([tree.kind, problems.map(({ place, message }) => [place, message])]).to.deep.equal([
      'map',
      [[{ file: 's.yaml', line: 90_001, column: 1 }, 'not valid YAML: this key stands twice in one map']],
    ]);
  }).timeout(20_000);

  it('yaml: aliases of aliases do not blow up', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`);
    const { problems } = yamlTree(`l0: &l0 [x]\n${levels.join('\n')}\n`, 'f');
    expect(problems.map(problem => problem.message)).to.deep.equal(['too many nodes; aliases of aliases?']);
  });

  it('yaml: what the parser finds is told without its words', () => {
    const { problems } = yamlTree('a: 1\n---\nb: 2\n', 'f');
    expect(problems[0]).to.deep.equal({
      place: { file: 'f', line: 2, column: 1 },
      path: '',
      message: 'not valid YAML: one file holds one document; leave out the second `---`',
    });
  });
});
