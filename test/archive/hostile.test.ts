import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { OtherYaml, parseBlockYaml } from '../../src/archive/block-yaml.ts';
import { ArchiveFiles } from '../../src/archive/files.ts';
import { objectsOf } from '../../src/archive/object-list.ts';
import { parseYamlText } from '../../src/lib/yaml-text.ts';
import { goYaml } from '../../src/render/text/yaml.ts';
import { run } from '../helpers/run.ts';
import { type ZipFile, zipOf } from '../helpers/zip.ts';

const TOP = 'cilium-sysdump-20261129-101500';
const TIME = '20261129-101500';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const nodes = (text: string): ZipFile => ({ name: `${TOP}/k8s-nodes-${TIME}.yaml`, data: text });
const NODES = nodes(goYaml({ apiVersion: 'v1', items: [{ metadata: { name: 'n1' } }], kind: 'List' }));
const PODS: ZipFile = {
  name: `${TOP}/k8s-pods-${TIME}.yaml`,
  data: goYaml({ apiVersion: 'v1', items: [], kind: 'List' }),
};
const endpoints = (data: string | Buffer, more: Partial<ZipFile> = {}): ZipFile => ({
  name: `${TOP}/ciliumendpoints-${TIME}.yaml`,
  data,
  ...more,
});

/** Lists the CiliumEndpoints of an archive, and measures that. */
async function listed(bytes: Buffer | string) {
  const path = typeof bytes === 'string' ? bytes : join(folder, `${Math.random()}.zip`);
  if (typeof bytes !== 'string') writeFileSync(path, bytes);
  const begin = performance.now();
  const before = process.memoryUsage().rss;
  const result = await run(['endpoint', 'list', '-A', '--from', path]);
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
  return { ...result, seconds: (performance.now() - begin) / 1000, grown };
}

const one = goYaml({
  apiVersion: 'v1',
  items: [{ metadata: { name: 'web', namespace: 'a' }, status: { state: 'ready', identity: { id: 7 } } }],
  kind: 'List',
});

describe('an archive', () => {
  test.each([
    [
      'has a path out of it',
      [NODES, { name: '../../etc/passwd', data: 'x' }],
      'is not read: invalid relative path',
    ],
    ['has an absolute path', [NODES, { name: '/etc/passwd', data: 'x' }], 'is not read: absolute path'],
    [
      'has a file twice',
      [NODES, endpoints(one), endpoints(one)],
      `has the file ciliumendpoints-${TIME}.yaml twice`,
    ],
    ['is of nothing', [], 'is no archive of a cluster'],
    ['is of something else', [{ name: 'readme.txt', data: 'x' }], 'is no archive of a cluster'],
    [
      'is of two clusters',
      [NODES, { ...NODES, name: NODES.name.replace(TOP, 'b') }],
      'holds several archives: ',
    ],
    ['lies about a size', [NODES, endpoints(one, { claimed: 10 * 1024 ** 2 })], 'cannot be read'],
    ['has other bytes than its checksum', [NODES, endpoints(one, { crc: 1 })], 'its checksum is another one'],
    ['has a list that is none', [NODES, endpoints('hello: [')], `ciliumendpoints-${TIME}.yaml`],
    ['has a list of texts', [NODES, endpoints('items:\n- a\n- b\n')], 'it is not YAML of objects'],
    [
      'has a list of objects of other forms',
      [NODES, endpoints('items:\n- metadata: 5\n')],
      'not as Kubernetes gives it',
    ],
    [
      'has aliases of aliases',
      [
        NODES,
        endpoints(
          `items:\n- a: &a [1,1,1,1,1,1,1,1,1]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\n  f: [*e,*e,*e,*e,*e,*e,*e,*e]\n`,
        ),
      ],
      'ciliumendpoints',
    ],
    [
      'has an object without an end',
      [NODES, endpoints(`items:\n- metadata:\n    name: ${'x'.repeat(9 << 20)}\n`)],
      'larger than any cluster keeps',
    ],
    [
      'has a link for a file',
      [NODES, endpoints('/etc/passwd', { mode: 0o120777 })],
      'holds no ciliumendpoints',
    ],
    [
      'has a broken index',
      [NODES, { name: `${TOP}/index.json`, data: '{"format":' }],
      'index.json cannot be read',
    ],
    [
      'is of a later format',
      [NODES, { name: `${TOP}/index.json`, data: '{"format":99}' }],
      'is of format 99',
    ],
  ])('that %s is one clear error', async (_, files, message) => {
    const { stdout, stderr, code, seconds } = await listed(zipOf(files as ZipFile[]));
    expect(stderr).toContain(message);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).not.toMatch(/fault in the toolkit|undefined|\[object/);
    expect(seconds).toBeLessThan(30);
  });

  test('that unpacks to a thousand times its size takes neither time nor memory', async () => {
    const bomb = `items:\n- metadata:\n    name: a\n${' '.repeat(300 << 20)}`;
    const { stderr, code, seconds, grown } = await listed(zipOf([NODES, endpoints(bomb)]));
    expect([code, stderr]).toEqual([1, expect.stringContaining('larger than any cluster keeps')]);
    expect(seconds).toBeLessThan(60);
    expect(grown).toBeLessThan(200);
  });

  test.each([
    ['of an agent', { name: `${TOP}/agents/n1/agent.json`, data: '' }],
    ['of its index', { name: `${TOP}/index.json`, data: '' }],
  ])('that claims ten gigabytes %s is not unpacked', async (_, file) => {
    const claimed = 4_000_000_000;
    const bytes = zipOf([NODES, PODS, { ...file, claimed }]);
    const path = join(folder, 'large.zip');
    writeFileSync(path, bytes);
    const { stderr, code } = await run(['ip', 'list', '--from', path]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is larger than 64 MiB, and is not read')]);
  });

  test.each([
    ['with sizes before the data', false],
    ['with sizes behind the data', true],
  ])('that ends too early is read as far as it goes, %s', async (_, isStreamed) => {
    const files = [NODES, PODS, endpoints(one), { name: `${TOP}/last.txt`, data: 'y'.repeat(100_000) }];
    const whole = zipOf(
      files.map((file) => ({ ...file, isStreamed })),
      { hasDirectory: false },
    );
    for (const bytes of [whole, whole.subarray(0, whole.length - 60)]) {
      const { stdout, stderr, code } = await listed(bytes);
      expect([stderr.split('\n')[0], code, stdout]).toEqual([
        expect.anything(),
        0,
        expect.stringMatching(/^NAMESPACE.*\na +web +7/),
      ]);
      expect(stderr).toMatch(/ends too early: its directory is missing, and [34] files were found/);
      expect(stderr.includes('last.txt is cut off')).toBe(bytes !== whole);
    }
  });

  test.each([
    ['no archive', 'hello', 'is not an archive that can be read'],
    ['an empty file', '', 'is not an archive that can be read'],
  ])('that is %s is told', async (_, text, message) => {
    const { stderr, code } = await listed(Buffer.from(text));
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });

  test('that is not there, or no file, is told', async () => {
    expect((await listed(join(folder, 'none.zip'))).stderr).toContain('no such file');
    expect((await listed('/dev/null')).stderr).toContain('neither a file nor a folder');
    expect((await run(['ip', 'list', '--from', ''])).stderr).toContain('--from needs the name of an archive');
  });

  test('that is a folder with links is read without what they lead to', async () => {
    const root = join(folder, 'links');
    mkdirSync(root);
    writeFileSync(join(root, `k8s-nodes-${TIME}.yaml`), NODES.data);
    symlinkSync('/etc/passwd', join(root, `ciliumendpoints-${TIME}.yaml`));
    symlinkSync('/', join(root, 'agents'));
    const { stderr, code } = await listed(root);
    expect([code, stderr]).toEqual([1, expect.stringContaining('holds no ciliumendpoints')]);
  });
});

describe('YAML that programs write', () => {
  test.each([
    ['a: "x\\\n  \\ y"\nb: 1'],
    ['a: |\n  x\n   y\n\n  z\nb: c'],
    ['a: |-\n  x\nb:\n- |\n  q\n- - 1\n  - 2\n-\n  k: v'],
    ['a: foo bar\n  baz\nb: ~'],
    ['a:\n  - b: c\n    d: e\n  - f'],
    ["'q k': 'it''s'"],
    ['f:metadata:\n  .: {}\n  k:{"a":"b"}:\n    x: {}'],
    ['a: "x\n\n  y z"\nb: 2'],
    ['a: |+\n  x\n\nb: 1'],
    ['x: http://a:80/b\ny: 12:30\nz: 1e3\nv: -5'],
    ['a: ""\nb: "\\u00e9\\x41"\nc: \'\''],
    ['a:\nb:\n- x'],
    ['- true\n- null\n- "true"\n- 1.5\n- .5'],
  ])('%j is read as the whole parser reads it', async (text) => {
    expect(parseBlockYaml(text)).toEqual(await parseYamlText(text));
  });

  test.each([
    ['a: &x 1\nb: *x'],
    ['a: [1, 2]'],
    ['a: !!str 1'],
    ['? a\n: b'],
    ['a: >\n  x'],
    ['a: b # c'],
    ['a: "b'],
  ])('%j is left to the whole parser', (text) => {
    expect(() => parseBlockYaml(text)).toThrow(OtherYaml);
  });

  test('of five thousand pods is read in seconds, an object at a time', async () => {
    const pod = (i: number) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `web-${i}`,
        namespace: `team-${i % 50}`,
        labels: { app: 'web', 'pod-template-hash': `${i}` },
        annotations: { text: 'a line\nanother: one\n', 'prometheus.io/port': '9962' },
        managedFields: [{ manager: 'kubelet', fieldsV1: { 'f:status': { 'f:conditions': { '.': {} } } } }],
      },
      spec: {
        nodeName: `n${i % 100}`,
        containers: Array.from({ length: 3 }, (_, c) => ({
          name: `c${c}`,
          image: 'registry.example.com/a/very/long/name:v1.2.3',
          env: Array.from({ length: 20 }, (_, e) => ({ name: `VARIABLE_${e}`, value: `value: ${e}` })),
        })),
      },
      status: { phase: 'Running', podIP: `10.0.${i >> 8}.${i & 255}` },
    });
    const items = Array.from({ length: 5000 }, (_, i) => pod(i));
    const text = goYaml({ apiVersion: 'v1', items, kind: 'List', metadata: { resourceVersion: '' } });
    const path = join(folder, 'pods.zip');
    writeFileSync(path, zipOf([NODES, { ...PODS, data: text }]));
    const files = await ArchiveFiles.open(path, 'pods.zip');
    const begin = performance.now();
    let count = 0;
    for await (const object of objectsOf(files, `k8s-pods-${TIME}.yaml`)) {
      if (count === 4321) expect(object).toEqual(pod(4321));
      count++;
    }
    await files.close();
    expect(count).toBe(5000);
    expect((performance.now() - begin) / 1000).toBeLessThan(60);
  });
});
