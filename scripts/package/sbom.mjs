// Bills of materials in CycloneDX: for the packages of npm what npm says of them, beside them the runtime with its
// libraries, the kernel helper and the libraries of the system.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { MACHINES, runtimeVersion } from '../machines.mjs';
import { date, manifest, root, version } from './facts.mjs';

let asked;
/** Components by name@version, as npm describes them. */
function npmComponents() {
  asked ??= JSON.parse(
    execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--offline'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 27,
    }),
  );
  return new Map(asked.components.map((component) => [component['bom-ref'], component]));
}

/** The packages whose code is in the bundle. */
function packagesOf({ packages }) {
  const known = npmComponents();
  const refs = packages.map((folder) => {
    const { name, version: release } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return `${name}@${release}`;
  });
  return [...new Set(refs)].sort().map((ref) => {
    const component = known.get(ref);
    if (!component) throw new Error(`the bundle has code of ${ref}, which npm sbom does not name`);
    // What only our own developing needs is in the program all the same when the bundle took code from it.
    const properties = component.properties?.filter(({ name }) => name !== 'cdx:npm:package:development');
    return { ...component, scope: 'required', properties: properties ?? [] };
  });
}

/** The runtime, and below it the libraries that it is linked with. */
function runtimeOf({ arch, runtime: { libraries }, parts }) {
  const { sha256 } = parts.find(({ name }) => name === 'runtime');
  // Numbers of interfaces are no libraries.
  const inside = Object.entries(libraries).filter(
    ([name, release]) =>
      release !== '' && !['node', 'modules', 'napi', 'unicode', 'cldr', 'tz'].includes(name),
  );
  return {
    'bom-ref': `node@${runtimeVersion}`,
    type: 'framework',
    name: 'node',
    version: runtimeVersion,
    scope: 'required',
    description: 'Node.js, without what only debuggers read, and with the program inside',
    purl: `pkg:npm/node-linux-${arch}@${runtimeVersion}`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ license: { id: 'MIT' } }],
    components: inside.map(([name, release]) => ({
      'bom-ref': `node@${runtimeVersion}/${name}@${release}`,
      type: 'library',
      name,
      version: release,
    })),
  };
}

/** A library of the system that was copied. */
function libraryOf({ name, package: owner, version: release, sha256 }, arch) {
  return {
    'bom-ref': `${name}@${release ?? 'unknown'}`,
    type: 'library',
    name,
    ...(release && { version: release }),
    scope: 'required',
    ...(owner && {
      purl: `pkg:deb/debian/${encodeURIComponent(owner)}@${encodeURIComponent(release)}?arch=${MACHINES[arch].debian}`,
    }),
    hashes: [{ alg: 'SHA-256', content: sha256 }],
  };
}

function helperOf({ sha256 }, arch) {
  return {
    'bom-ref': `bpf.node-${arch}`,
    type: 'library',
    name: 'bpf.node',
    version,
    scope: 'required',
    description: `The kernel helper for linux-${arch}, compiled from src/bpf/native`,
    hashes: [{ alg: 'SHA-256', content: sha256 }],
    licenses: [{ license: { id: manifest.license } }],
  };
}

const sum = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/**
 * Writes the bill of an artefact beside it and returns its path. `inside` is the one file that it brings; without a runtime
 * in the description there are only packages and helpers in it; `also` are more libraries.
 */
export function writeBill({ file, description, inside, also = [] }) {
  const { arch, parts = [], runtime, helpers = [] } = description;
  const one = parts.find(({ name }) => name === 'bpf.node');
  const libraries = [...parts.filter(({ name }) => name.startsWith('lib')), ...also];
  const components = [
    ...(runtime ? [runtimeOf(description)] : []),
    ...(one ? [helperOf(one, arch)] : []),
    ...helpers.map((helper) => helperOf(helper, helper.arch)),
    ...libraries.map((library) => libraryOf(library, arch)),
    ...packagesOf(description),
  ];
  const isFile = statSync(file).isFile();
  const ref = `${manifest.name}@${version}`;
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: date.toISOString(),
      lifecycles: [{ phase: 'build' }],
      component: {
        'bom-ref': ref,
        type: isFile ? 'application' : 'container',
        name: manifest.name,
        version,
        description: manifest.description,
        purl: `pkg:npm/${manifest.name}@${version}`,
        ...(isFile && { hashes: [{ alg: 'SHA-256', content: sum(file) }] }),
        licenses: [{ license: { id: manifest.license } }],
        properties: [
          { name: 'file', value: basename(file) },
          ...(inside ? [{ name: 'file:inside', value: `${basename(inside)} ${sum(inside)}` }] : []),
        ],
      },
    },
    components,
    dependencies: [{ ref, dependsOn: components.map((component) => component['bom-ref']) }],
  };
  const path = `${file}.cdx.json`;
  writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
  return path;
}
