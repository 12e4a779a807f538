import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';

const folder = mkdtempSync(join(tmpdir(), 'empty-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const policy = (name: string, section: string, namespace = 'default') =>
  JSON.stringify({
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNetworkPolicy',
    metadata: { name, namespace },
    spec: { endpointSelector: {}, [section]: [{}] },
  });

describe('nothing at all is no policy that was found to be right', () => {
  test.each([
    '',
    '\n\n',
    '# kustomize found nothing\n',
    '---\n---\n',
    '\ufeff',
    '--- # a\n...\n',
    '\r\n# x\r\n',
    'null\n',
    '~',
    '--- null # jq\n---\n',
    '%YAML 1.2\n',
    '%YAML 1.2\n---\n',
  ])('through a pipe: %j', async (input) => {
    const { stdout, stderr, code } = await run(['policy', 'validate', '-'], { stdin: input });
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('no policy came through the pipe');
  });

  test.each(['validate', 'convert'])('in a file, for policy %s', async (verb) => {
    const { stderr, code } = await run(['policy', verb, write('blank.yaml', '# nothing\n')]);
    expect(stderr).toContain('there is no policy in it');
    expect(code).toBe(1);
  });

  test('in a folder without a file, and as the rules of a question', async () => {
    const path = join(folder, 'none');
    mkdirSync(path);
    expect((await run(['policy', 'validate', path])).code).toBe(1);
    const asked = await run([
      ...['policy', 'simulate', '-r', path],
      ...'--from app=a --to app=b --port 80'.split(' '),
    ]);
    expect([asked.stdout, asked.code]).toEqual(['', 1]);
    expect(asked.stderr).toContain('there is no policy in it');
  });

  test.each(['[]', 'apiVersion: v1\nkind: List\nitems: []\n'])('an empty list says so: %j', async (input) => {
    expect((await run(['policy', 'validate', '-'], { stdin: input })).code).toBe(0);
  });

  test('in a file of JSON that is null', async () => {
    expect((await run(['policy', 'validate', write('null.json', 'null\n')])).code).toBe(1);
  });

  test('a blank file beside others is passed over', async () => {
    write('beside/a.yaml', '# later\n');
    write('beside/b.json', policy('b', 'ingress'));
    expect((await run(['policy', 'validate', join(folder, 'beside')])).code).toBe(0);
  });
});

describe('two objects of one name', () => {
  const twice = `${policy('a', 'ingress')}\n---\n${policy('a', 'egress')}\n`;

  test('in one file are an error that names both places', async () => {
    const path = write('twice.yaml', twice);
    const { stderr, code } = await run(['policy', 'validate', path]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `CiliumNetworkPolicy default/a is also written at ${path}:1:71: of the two only the one that is applied last`,
    );
  });

  test('are fine where they are the same, or of other namespaces', async () => {
    const same = write('same.yaml', `${policy('a', 'ingress')}\n---\n${policy('a', 'ingress')}\n`);
    const apart = write('apart.yaml', `${policy('a', 'ingress')}\n---\n${policy('a', 'egress', 'b')}\n`);
    expect((await run(['policy', 'validate', same])).stderr).toBe('');
    expect((await run(['policy', 'validate', apart])).stderr).toBe('');
  });

  test('are the same whatever the order of their fields', async () => {
    const spec = 'spec: {endpointSelector: {}, ingress: [{}]}';
    const [one, other] = ['{name: a, namespace: b}', '{namespace: b, name: a}'];
    const head = 'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n';
    const path = write(
      'order.yaml',
      `${head}metadata: ${one}\n${spec}\n---\n${spec}\n${head}metadata: ${other}\n`,
    );
    expect((await run(['policy', 'validate', path])).stderr).toBe('');
  });

  test('in two files may be for two clusters: a warning, and no answer that rests on both', async () => {
    write('two/a.json', policy('a', 'ingress'));
    write('two/prod/a.json', policy('a', 'egress'));
    const { stderr, code } = await run(['policy', 'validate', join(folder, 'two')]);
    expect(stderr).toContain('warning: CiliumNetworkPolicy default/a is also written at');
    expect(code).toBe(0);
    const asked = await run([
      ...['policy', 'simulate', '-r', join(folder, 'two')],
      ...'--from app=a --to app=b --port 80'.split(' '),
    ]);
    expect([asked.stdout, asked.code]).toEqual(['', 1]);
  });
});

test('a file of a folder that cannot be read hides no fault of the others', async () => {
  write('mixed/latin.yaml', Buffer.from('a: caf\xe9\n', 'latin1'));
  write('mixed/wrong.json', policy('Wrong_name', 'ingress'));
  const { stderr, code } = await run(['policy', 'validate', join(folder, 'mixed')]);
  expect(code).toBe(1);
  expect(stderr).toContain(`${join(folder, 'mixed/latin.yaml')}:1:1: error:`);
  expect(stderr).toContain('is not valid UTF-8');
  expect(stderr).toContain('"Wrong_name" is not a valid object name');
});

test.each(['De.f', 'a_b', '-a', 'x'.repeat(64)])('%j is no name of a namespace', async (namespace) => {
  const { stderr, code } = await run(['policy', 'validate', '-'], {
    stdin: policy('a', 'ingress', namespace),
  });
  expect(stderr).toContain(`"${namespace}" is not the name of a namespace`);
  expect(code).toBe(1);
});

test('nor does a folder in it', async () => {
  const path = join(folder, 'deep');
  write('deep/a.json', policy('a', 'ingress'));
  // Longer than a path may be, which root may read no more than others.
  const long = Array.from({ length: 10 }, () => 'd'.repeat(250)).join('/');
  for (const half of ['deep', 'half']) mkdirSync(join(folder, half, long), { recursive: true });
  renameSync(join(folder, 'half'), join(path, long, 'half'));
  try {
    write('deep/e/b.json', '{');
    const { stderr, code } = await run(['policy', 'validate', path]);
    expect(code).toBe(1);
    expect(stderr).toContain('file name too long');
    expect(stderr).toContain('b.json:1:2: error');
  } finally {
    spawnSync('rm', ['-rf', path]);
  }
});
