/** The house rules, held by a test: who imports whom, how long files and functions are, where time and chance come in, how things are named. */
import { existsSync, readdirSync } from 'node:fs';
import { expect } from 'chai';
import { allPaths, isTest, parse, product, sources, textOf } from './tidy/files.ts';
import { circles, lawBreaks } from './tidy/law.ts';
import { scenarioFaults, scenariosOf } from './tidy/scenarios.ts';
import { clockUses, functionsOf, isBarrel } from './tidy/syntax.ts';
import { LINE_CITE, MACHINE_PATH, matches, nameFault, REGISTRY_HOST, SKIPPED_TEST } from './tidy/text-rules.ts';

const lineCount = (text: string) => text.trimEnd().split('\n').length;
const nearestRank = (numbers: readonly number[], share: number) =>
  numbers.toSorted((a, b) => a - b)[Math.ceil(numbers.length * share) - 1] ?? 0;
const isText = (path: string) => /\.(ts|mjs|js|md|ya?ml|json5?|tf|sh|html|css|txt)$|Dockerfile|run$/.test(path);

describe('tidy', () => {
  it('imports run along the arrows only', () => {
    expect(product.flatMap(lawBreaks)).eql([]);
  });

  it('nothing in production imports tests', () => {
    const inside = product.map(({ path, text }) => ({ path, found: /from '[./]*\/test\//.test(text) }));
    expect(inside.filter(({ found }) => found)).eql([]);
  });

  it('no files import each other in a circle', () => {
    expect(circles(sources).map(circle => circle.join(' -> '))).eql([]);
  });

  it('no barrels', () => {
    expect(sources.filter(isBarrel).map(({ path }) => path)).eql([]);
  });

  it('files are short: the median under 100 lines, none over 300', () => {
    const long = sources.filter(({ text }) => lineCount(text) > 300);
    expect(long.map(({ path, text }) => `${path}: ${lineCount(text)} lines`)).eql([]);
    expect(
      nearestRank(
        product.map(({ text }) => lineCount(text)),
        0.5,
      ),
    ).below(100);
  });

  it('functions are short: 95 of 100 under 40 lines, none over 60', () => {
    const long = sources.flatMap(functionsOf).filter(({ lines }) => lines > 60);
    expect(long.map(({ at, lines }) => `${at}: ${lines} lines`)).eql([]);
    const named = product.flatMap(functionsOf).filter(({ named }) => named);
    expect(
      nearestRank(
        named.map(({ lines }) => lines),
        0.95,
      ),
    ).below(40);
  });

  it('time and chance come in by src/adapters/system.ts only', () => {
    expect(product.filter(({ path }) => path !== 'src/adapters/system.ts').flatMap(clockUses)).eql([]);
  });

  it('files are named for what they are', () => {
    expect(allPaths.flatMap(path => nameFault(path) ?? [])).eql([]);
  });

  it('each file begins by saying what it is', () => {
    const silent = sources.filter(({ path, text }) => !path.endsWith('.spec.ts') && !/^(#!.*\n)?\/\*\*/.test(text));
    expect(silent.map(({ path }) => path)).eql([]);
  });

  for (const type of readdirSync('connectors', { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)) {
    it(`connectors/${type} is complete`, () => {
      const missing = ['index.ts', 'README.md', 'sample.yaml', `${type}.spec.ts`].filter(file => !existsSync(`connectors/${type}/${file}`));
      expect(missing).eql([]);
    });
  }

  it('no test is skipped, and none runs alone', () => {
    const tests = sources.filter(({ path }) => isTest(path) && !path.startsWith('test/tidy'));
    expect(tests.flatMap(({ path, text }) => matches(path, text, SKIPPED_TEST))).eql([]);
  });

  it('each of the 85 scenarios is a test that bears its name, or a line that says why it is not built', () => {
    const scenarios = scenariosOf(textOf('test/simulation/README.md'));
    expect(scenarios.map(({ number }) => number)).eql(Array.from({ length: 85 }, (_, i) => i + 1));
    expect(new Set(scenarios.map(({ name }) => name)).size).equals(85);
    expect(scenarioFaults(scenarios, sources)).eql([]);
  });

  it('documents name files and what is in them, not lines', () => {
    const documents = allPaths.filter(path => path.endsWith('.md'));
    expect(documents.flatMap(path => matches(path, textOf(path), LINE_CITE))).eql([]);
  });

  it('no file holds what is true on one machine only', () => {
    const texts = allPaths.filter(path => isText(path) && !path.startsWith('test/tidy'));
    expect(texts.flatMap(path => matches(path, textOf(path), MACHINE_PATH))).eql([]);
    expect(texts.flatMap(path => matches(path, textOf(path), REGISTRY_HOST))).eql([]);
  });
});

describe('tidy, the rules themselves', () => {
  it('the law knows every kind of import', () => {
    const breaks = (path: string, text: string) => lawBreaks(parse(path, text)).length;
    expect(breaks('src/model/a.ts', "import { a } from '../ports/a.ts';")).equals(1);
    expect(breaks('src/model/a.ts', "import type { A } from '../ports/a.ts';")).equals(1);
    expect(breaks('src/model/a.ts', "export { a } from '../ports/a.ts';")).equals(1);
    expect(breaks('src/model/a.ts', "const a = await import('../ports/a.ts');")).equals(1);
    expect(breaks('src/model/a.ts', "let a: import('../ports/a.ts').A;")).equals(1);
    expect(breaks('src/ports/a.ts', "import { a } from '../model/a.ts'; import { b } from './b.ts';")).equals(0);
    expect(breaks('src/pipeline/a.ts', "import { readFile } from 'node:fs';")).equals(1);
    expect(breaks('src/settings/a.ts', "import { Client } from '@aws-sdk/client-kinesis';")).equals(1);
    expect(breaks('connectors/kafka/a.ts', "import { a } from '../s3/a.ts'; import { b } from '../../src/replication/b.ts';")).equals(2);
    expect(breaks('connectors/replica/a.ts', "import { b } from '../../src/replication/b.ts';")).equals(0);
    expect(() => breaks('src/misc/a.ts', "import { a } from '../model/a.ts';")).throws('does not know');
  });

  it('circles are found through any number of files', () => {
    const files = ['a', 'b', 'c', 'd'].map((name, i) => parse(`src/x/${name}.ts`, `import './${['b', 'c', 'a', 'a'][i]}.ts';`));
    expect(circles(files)).eql([['src/x/a.ts', 'src/x/b.ts', 'src/x/c.ts', 'src/x/a.ts']]);
  });

  it('clocks are found in expressions, not in types, fields or other objects', () => {
    const uses = (text: string) => clockUses(parse('a.ts', text)).length;
    for (const text of [
      'new Date()',
      'const n = Date.now',
      'setTimeout(f, 1)',
      'x = Math.random()',
      'performance.now()',
      'crypto.randomUUID()',
    ]) {
      expect(uses(text), text).equals(1);
    }
    expect(uses("import { randomUUID } from 'node:crypto'; import { setTimeout as s } from 'node:timers/promises';")).above(1);
    expect(uses('AbortSignal.timeout(1); globalThis.setTimeout(f)')).equals(2);
    expect(uses('let a: Date; socket.setTimeout(0); const o = { performance: 1 }; interface I { Date: string }')).equals(0);
    expect(uses('f(Date as unknown)')).equals(1);
    expect(uses('new Date(at)'), 'a given time is no clock').equals(0);
  });

  it('a table of scenarios that does not fit the tests is found out', () => {
    const specs = [parse('test/a.spec.ts', "it('one-page: x', f); it(`two: y`, f); it('three-more: z', f); // four")];
    const faults = (cell: string, name: string) => scenarioFaults(scenariosOf(`| 1 | \`${name}\` | ${cell} |`), specs).length;
    expect(faults('`test/a.spec.ts`; and `test/b.spec.ts` beside it', 'one-page')).equals(0);
    expect(faults('`test/a.spec.ts`, `test/b.spec.ts`', 'two')).equals(1);
    expect(faults('`test/a.spec.ts`', 'three'), 'a longer name is another one').equals(1);
    expect(faults('by hand', 'two')).equals(1);
    expect(faults('not built: why', 'four')).equals(0);
    expect(faults('not built yet', 'two')).equals(1);
  });

  it('functions are measured by their lines, suites are not', () => {
    const text = "describe('x', () => {\n\n});\nfunction f() {\n\n\n}\nconst o = { m() {\n} };\na.map(() =>\n 1);";
    expect(functionsOf(parse('a.ts', text)).map(({ lines, named }) => [lines, named])).eql([
      [4, true],
      [2, true],
      [2, false],
    ]);
  });

  it('names and texts are judged', () => {
    expect(['src/retry-helper.ts', 'src/utils/a.ts', 'src/Retry.ts', 'src/re_try.ts'].filter(nameFault)).length(4);
    expect(
      ['src/service-fault.ts', 'README.md', '.ci/run', 'connectors/s3/s3.contract.spec.ts'].flatMap(path => nameFault(path) ?? []),
    ).eql([]);
    expect(matches('a.md', 'see src/a.ts:12 and http://127.0.0.1:80', LINE_CITE)).length(1);
    expect(matches('a', 'at /home/me/x, not /run/secrets/x or a/home/b', MACHINE_PATH)).length(1);
  });
});
