import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { renderDocument } from '../../../src/render/html/document.ts';
import { coverageDocument } from '../../../src/render/policy/coverage-page.ts';
import { HOSTILE_NAMES } from '../../helpers/hostile-names.ts';
import { pageText } from '../../helpers/page-text.ts';
import { run } from '../../helpers/run.ts';

const POLICY = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress: [{fromEntities: [host]}]
  egress: [{toEntities: [world]}]
`;
const labels = (app: string) => [`k8s:app=${app}`, 'k8s:io.kubernetes.pod.namespace=shop'];
const STATE = {
  identities: [
    { id: 1000, labels: labels('web') },
    { id: 1001, labels: labels('db') },
  ],
  endpoints: [
    { id: 1, identity: 1000, pod: 'shop/web-1' },
    { id: 2, identity: 1001, pod: 'shop/db-1' },
    ...HOSTILE_NAMES.map((name, i) => ({ id: 10 + i, identity: 1001, pod: `shop/${name}` })),
  ],
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coverage-page-'));
  writeFileSync(join(folder, 'web.yaml'), POLICY);
  writeFileSync(join(folder, 'state.json'), JSON.stringify(STATE));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const coverage = (...words: string[]) =>
  run(['policy', 'coverage', '--rules', 'web.yaml', '--state', 'state.json', ...words], { cwd: folder });

describe('policy coverage --html', () => {
  test('shows what is enforced, open and not known, and prints and fails as before', async () => {
    const plain = await coverage('--require', 'both');
    const told = await coverage('--require', 'both', '--html', 'page.html');
    expect(plain.code).toBe(1);
    expect([told.code, told.stdout]).toEqual([1, plain.stdout]);
    expect(told.stderr).toContain('Page: page.html\n');
    const page = pageText(join(folder, 'page.html'));
    expect(page).toContain('Pods of state.json, rules of web.yaml.');
    expect(page).toContain('<td>web-1</td><td><b class="good">✓ enforced</b></td>');
    expect(page).toContain('<td>db-1</td><td><b class="bad">✕ open</b></td>');
    expect(page).toContain('<b class="bad">✕ 1 of 12</b>');
  });

  test('what is not known is neither', () => {
    const pod = {
      namespace: 'shop',
      pod: 'lost',
      egress: 'unknown',
      why: 'its identity is not known',
    } as const;
    const of = (...pods: Parameters<typeof coverageDocument>[0]) =>
      coverageDocument(pods, { from: '', made: '', version: '' });
    const [, , egress] = of({ ...pod, ingress: 'enforced' }).facts;
    expect(egress).toEqual({ name: 'egress enforced', text: '0 of 1, 1 not known', mark: 'unknown' });
    const { facts, sections } = of(
      { ...pod, ingress: 'enforced' },
      { ...pod, ingress: 'unknown', egress: 'open' },
    );
    expect(facts.map(({ mark }) => mark)).toEqual([undefined, 'unknown', 'bad']);
    expect(sections[1]?.rows[0]).toEqual([
      'shop',
      'lost',
      { text: 'enforced', mark: 'good' },
      { text: 'unknown', mark: 'unknown' },
      'its identity is not known',
    ]);
  });

  test('replaces a page, and no other file', async () => {
    const told = await coverage('--html', 'web.yaml');
    expect([told.code, told.stdout, told.stderr]).toEqual([
      1,
      '',
      'Error: --html: web.yaml is there already, and is no page\nIt is left as it is. Name another file, one that ends in .html.\n',
    ]);
    expect(readFileSync(join(folder, 'web.yaml'), 'utf8')).toBe(POLICY);
    for (const name of ['page.HTML', 'page']) {
      await coverage('--html', name);
      expect((await coverage('--html', name)).stderr).toContain(`Page: ${name}\n`);
    }
  });

  const asUser = process.getuid?.() === 0 ? test.skip : test;
  asUser('says before the work that a folder takes no file', async () => {
    chmodSync(folder, 0o500);
    const told = await coverage('--html', 'new.html').finally(() => chmodSync(folder, 0o700));
    expect([told.code, told.stdout]).toEqual([1, '']);
    expect(told.stderr).toContain('--html: write new.html: permission denied');
  });

  test('shows the beginning of what is far too long', () => {
    const text = 'x'.repeat(1_000_000);
    const more = Array<string>(1000).fill('line');
    const rows = [[{ text, more }]];
    const document = { title: '', about: [text], facts: [], made: '', version: '' };
    const parts = { script: '', style: '', hashes: { script: '', style: '' } };
    const page = renderDocument({ ...document, sections: [{ title: '', heads: [''], rows }] }, parts);
    expect(page.length).toBeLessThan(50_000);
    expect(page).toContain('… (1000000 letters)');
    expect(page).toContain('… (800 more lines)');
  });

  test('names of a cluster stay text', async () => {
    await coverage('--html', 'hostile.html');
    const page = pageText(join(folder, 'hostile.html'));
    expect(page).not.toMatch(/<(?:script|img|svg)|\u202e|\u0000/);
    expect(page).toContain('&#60;/script&#62;&#60;script&#62;alert(1)');
    expect(page).toContain('x'.repeat(10_000));
  });
});
