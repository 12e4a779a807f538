import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parse } from 'yaml';
import { missingForPackages } from './debian.ts';
import { testUnless } from './packages-test.ts';

interface Component {
  name: string;
  version?: string;
  purl?: string;
  'bom-ref': string;
  hashes?: { alg: string; content: string }[];
  components?: Component[];
}
interface Bill {
  bomFormat: string;
  specVersion: string;
  metadata: { component: Component };
  components: Component[];
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
const artefacts = (out: string) =>
  globSync('cilium-toolkit*', { cwd: out }).filter((name) => !name.endsWith('.json'));

/** Packages as files: sums, bills of materials, manifests, and the same bytes again. */
export function testMade({ out, again }: { out: string; again: () => string }): void {
  const why = missingForPackages();

  testUnless(why, 'every file has its checksum', () => {
    const { status, stdout } = spawnSync('sha256sum', ['-c', 'SHA256SUMS'], { cwd: out, encoding: 'utf8' });
    expect([status, stdout]).not.toContain('FAILED');
    const summed = stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/: OK$/, ''));
    const there = globSync(['cilium-toolkit*', 'krew/*', '*.cdx.json'], { cwd: out });
    expect(summed.sort()).toEqual([...new Set(there)].sort());
  });

  testUnless(
    why,
    'a bill of materials names the runtime, its libraries, the helper and every package',
    () => {
      for (const name of artefacts(out).filter((one) => !one.endsWith('.rb'))) {
        const bill = JSON.parse(readFileSync(join(out, `${name}.cdx.json`), 'utf8')) as Bill;
        expect([bill.bomFormat, bill.specVersion]).toEqual(['CycloneDX', '1.5']);
        expect(bill.metadata.component.hashes).toEqual([
          { alg: 'SHA-256', content: sha256(join(out, name)) },
        ]);
        const refs = bill.components.map((component) => component['bom-ref']);
        expect(new Set(refs).size).toBe(refs.length);
        const names = bill.components.map((component) => component.name);
        expect(names).toEqual(
          expect.arrayContaining(['bpf.node', 'ink', 'yaml', 'undici', 'react', 'yoga-layout']),
        );
        // Tools that make it are not in it.
        expect(names).not.toContain('esbuild');
        const runtime = bill.components.find((component) => component.name === 'node');
        if (name.endsWith('.tgz')) expect(runtime).toBeUndefined();
        else {
          expect(runtime?.components?.map((component) => component.name)).toEqual(
            expect.arrayContaining(['v8', 'openssl', 'uv', 'zlib']),
          );
          expect(names).toEqual(
            expect.arrayContaining(['libstdc++.so.6', 'libgcc_s.so.1', 'libatomic.so.1']),
          );
        }
      }
    },
  );

  testUnless(why, 'a krew manifest keeps to the rules of krew', () => {
    for (const name of ['cilium', 'hubble']) {
      const text = readFileSync(join(out, `krew/${name}.yaml`), 'utf8');
      const { apiVersion, kind, metadata, spec } = parse(text);
      expect([apiVersion, kind]).toEqual(['krew.googlecontainertools.github.com/v1alpha2', 'Plugin']);
      // The file's name, lower case, without the prefix of kubectl.
      expect(metadata).toEqual({ name });
      expect(name).toMatch(/^[a-z0-9-]+$/);
      expect(spec.version).toMatch(/^v\d+\.\d+\.\d+$/);
      // What the index asks for: short, without the full stop, not of a "kubectl plugin".
      expect(spec.shortDescription.length).toBeLessThanOrEqual(50);
      expect(spec.shortDescription).not.toMatch(/\.$|kubectl/);
      expect(spec.platforms).toHaveLength(1);
      const [{ selector, uri, sha256: sum, files, bin }] = spec.platforms;
      expect(selector).toEqual({ matchLabels: { os: 'linux', arch: 'amd64' } });
      const archive = join(out, uri.replace('https://example.org/0.1.0/', ''));
      expect(sum).toBe(sha256(archive));
      expect(bin).toBe(`kubectl-${name}`);
      const listed = spawnSync('tar', ['-tzf', archive], { encoding: 'utf8' }).stdout.split('\n');
      for (const { from } of files) expect(listed).toContain(`./${from}`);
      expect(files).toContainEqual({ from: 'cilium-toolkit', to: bin });
    }
  });

  testUnless(why, 'the formula names the files with their sums, and every link', () => {
    const formula = readFileSync(join(out, 'cilium-toolkit.rb'), 'utf8');
    const named = Array.from(
      formula.matchAll(/url "[^"]*\/([^"/]+)"\n\s+sha256 "(\w+)"/g),
      ([, file = '', sum]) => ({
        file,
        sum,
      }),
    );
    expect(named.map(({ file }) => file)).toEqual([
      expect.stringMatching(/\.tgz$/),
      expect.stringMatching(/-linux-x64\.tar\.gz$/),
    ]);
    for (const { file, sum } of named) expect(sum).toBe(sha256(join(out, file)));
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> };
    for (const name of Object.keys(bin)) expect(formula).toContain(`"${name}"`);
    expect(formula).not.toContain('undefined');
  });

  testUnless(why, 'the archive has completions, manual pages and licences', () => {
    const [archive = ''] = globSync('*.tar.gz', { cwd: out });
    const listed = spawnSync('tar', ['-tzf', join(out, archive)], { encoding: 'utf8' }).stdout.split('\n');
    expect(listed).toEqual(
      expect.arrayContaining([
        './cilium-toolkit',
        './LICENSE',
        './THIRD-PARTY-LICENSES',
        './share/bash-completion/completions/hubble',
        './share/zsh/site-functions/_cilium',
        './share/fish/vendor_completions.d/cilium.fish',
        './share/man/man1/cilium-policy-import.1.gz',
      ]),
    );
    const licences = spawnSync('tar', ['-xzOf', join(out, archive), './THIRD-PARTY-LICENSES'], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    }).stdout;
    for (const title of ['Node.js', 'react ', 'ink ', 'libstdc++.so.6'])
      expect(licences).toContain(`\n${title}`);
  });

  testUnless(why, 'two builds have the same bytes', () => {
    const other = again();
    expect(readFileSync(join(other, 'SHA256SUMS'), 'utf8')).toBe(
      readFileSync(join(out, 'SHA256SUMS'), 'utf8'),
    );
    expect(existsSync(join(other, 'container-x64/root/usr/bin/cilium'))).toBe(true);
  });
}
