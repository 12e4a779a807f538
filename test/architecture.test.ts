import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

/** What each room may import from. A file of src/ itself is a room of its own, named after it. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  lib: [],
  'errors.ts': [],
  'version.ts': [],
  model: ['lib'],
  // render/agent/bgp decodes capabilities; the decode rooms take that over.
  render: ['model', 'lib', 'errors.ts', 'agent'],
  agent: ['model', 'lib', 'errors.ts', 'context.ts'],
  kvstore: ['model', 'lib', 'errors.ts', 'context.ts', 'agent'],
  hubble: ['model', 'lib', 'errors.ts', 'context.ts'],
  kube: ['model', 'lib', 'errors.ts', 'context.ts'],
  bpf: ['model', 'lib', 'errors.ts', 'context.ts'],
  node: ['model', 'lib', 'errors.ts', 'context.ts', 'bpf'],
  policy: ['model', 'lib', 'errors.ts'],
  lab: ['model', 'lib', 'errors.ts', 'context.ts', 'policy', 'agent', 'hubble', 'bpf', 'version.ts'],
  'context.ts': ['model', 'lib', 'agent', 'hubble', 'kube', 'bpf'],
  cli: ['model', 'lib', 'errors.ts', 'context.ts', 'render', 'agent', 'kube'],
  commands: [
    'model',
    'lib',
    'errors.ts',
    'context.ts',
    'version.ts',
    'cli',
    'render',
    'agent',
    'kvstore',
    'hubble',
    'kube',
    'bpf',
    'node',
    'policy',
    'lab',
  ],
  'system.ts': ['context.ts', 'errors.ts', 'agent', 'hubble', 'kube', 'bpf'],
  'main.ts': ['lib', 'render', 'cli', 'commands', 'context.ts', 'errors.ts', 'model'],
  bin: ['main.ts', 'system.ts', 'version.ts'],
};

function room(path: string): string {
  return relative(SRC, path).split('/')[0] ?? '';
}

test('imports point down', () => {
  const wrong: string[] = [];
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => /\.tsx?$/.test(f));
  for (const file of files) {
    const path = join(SRC, file);
    const here = room(path);
    const allowed = [here, ...(MAY_IMPORT[here] ?? [])];
    for (const [, target = ''] of readFileSync(path, 'utf8').matchAll(
      /(?:from|import)\s*\(?\s*'(\.[^']+)'/g,
    )) {
      const there = room(join(dirname(path), target));
      if (there !== '..' && !allowed.includes(there)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('only system.ts and bin touch the process', () => {
  const wrong: string[] = [];
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(file) || file === 'system.ts' || file.startsWith('bin/')) continue;
    if (
      /\bprocess\.(exit|stdout|stderr|stdin|env|argv|on)\b|console\./.test(
        readFileSync(join(SRC, file), 'utf8'),
      )
    )
      wrong.push(file);
  }
  expect(wrong).toEqual([]);
});
