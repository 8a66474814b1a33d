/** What is published: no page of it links to a file that stays behind. */
import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LINK = /\]\((?!https?:|#|mailto:)([^)#\s]+)/g;

describe('the published package', () => {
  const { files, bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { files: string[]; bin: Record<string, string> };
  const under = (pattern: string) =>
    globSync(pattern, { cwd: ROOT }).flatMap(path =>
      statSync(join(ROOT, path)).isDirectory() ? globSync(`${path}/**/*`, { cwd: ROOT }) : [path],
    );
  const published = new Set(['package.json', ...files.filter(pattern => pattern !== 'dist').flatMap(under)]);

  it('has every file that its pages link to', () => {
    const pages = [...published].filter(path => path.endsWith('.md'));
    expect(pages).to.include.members(['README.md', 'src/ARCHITECTURE.md', 'connectors/README.md', 'connectors/s3/README.md']);
    const dead = pages.flatMap(page => {
      const links = Array.from(readFileSync(join(ROOT, page), 'utf8').matchAll(LINK), ([, link = '']) =>
        normalize(join(dirname(page), link)),
      );
      return links.filter(link => !published.has(link)).map(link => `${page} -> ${link}`);
    });
    expect(dead).to.deep.equal([]);
  });

  it('brings its command by dist', () => {
    expect([files.includes('dist'), bin['tidemark']]).to.deep.equal([true, 'dist/src/main.js']);
  });
});
