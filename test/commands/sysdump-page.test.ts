import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { goYaml } from '../../src/render/text/yaml.ts';
import { startTestCluster, type TestCluster } from '../helpers/cluster.ts';
import { unzipped } from '../helpers/dump-cluster.ts';
import { HOSTILE_NAMES } from '../helpers/hostile-names.ts';
import { pageText } from '../helpers/page-text.ts';
import { referenceArchive } from '../helpers/reference-archive.ts';
import { run } from '../helpers/run.ts';
import { zipOf } from '../helpers/zip.ts';

let cluster: TestCluster;
let folder: string;
let collected: { stdout: string; stderr: string; code: number };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sysdump-page-'));
  cluster = await startTestCluster();
  const argv = ['sysdump', '--output-filename', 'dump', '--only', 'kubernetes,cilium,agents,flows'];
  const read = ['--hubble-flows-count', '1000', '--hubble-flows-timeout', '2m'];
  const flags = ['--node-list', 'node2', '--html', 'collected.html', ...read];
  collected = await cluster.run([...argv, ...flags], { cwd: folder });
}, 600_000);
afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const textOf = (file: string) => pageText(join(folder, file));
const overview = (archive: string, ...more: string[]) =>
  run(['sysdump', '--from', archive, '--html', 'page.html', ...more], { cwd: folder });

/** A section of a page. */
function section(page: string, title: string): string {
  const at = page.indexOf(`<h2>${title}</h2>`);
  return at < 0 ? '' : page.slice(at, page.indexOf('</section>', at));
}

describe('sysdump --html', () => {
  test('shows what was collected, beside the archive', () => {
    const { stdout, stderr, code } = collected;
    expect(stdout).toMatch(/✅ The sysdump has been saved to dump\.zip\n$/);
    expect([code, stderr]).toEqual([0, expect.stringContaining('Page: collected.html\n')]);
    const page = textOf('collected.html');
    expect(page).toContain('<h1>Sysdump dump.zip</h1>');
    expect(page).toContain('<dt>complete</dt><dd><b class="good">✓ yes</b></dd>');
    expect(page).toContain('<dt>nodes</dt><dd><b class="good">✓ 3 of 3 ready</b></dd>');
    expect(page).toMatch(/<dt>flows<\/dt><dd><b class="warning">! \d+, \d+ dropped/);
    expect(section(page, 'Drops')).toContain('POLICY_DENIED');
  });

  test('says of which nodes nothing was collected, and does not call that an error', () => {
    const page = textOf('collected.html');
    expect(page).toContain('<dt>agents</dt><dd><b class="unknown">? 1 of 3 without a problem</b></dd>');
    const agents = section(page, 'Problems of agents');
    expect(agents).toMatch(/<b class="unknown">\? not known<\/b><\/td><td>node1<\/td>/);
    expect(agents).toContain('holds nothing of the agent of node node3');
    expect(section(page, 'Nodes')).toMatch(
      /<td>node2<\/td>.*<b class="good">✓ cilium-\w+<\/b><\/td><td>1\.20\.0/,
    );
    const components = section(page, 'Problems of components');
    expect(components).not.toMatch(/class="bad"[^/]*<\/b><\/td><td>cilium<\/td>.*holds nothing/);
    expect(section(page, 'What was not asked for')).toMatch(
      /Nothing of these groups is in it: .*bugtool.*profiles/,
    );
  });

  test('is the same of the archive later', async () => {
    const { stdout, stderr, code } = await overview('dump.zip');
    expect([stdout, code]).toEqual(['', 0]);
    expect(stderr).toMatch(/^Page: page\.html\nNote: ages are as of .*, when dump\.zip was collected\.\n$/);
    expect(textOf('page.html')).toBe(textOf('collected.html'));
  });

  test('shows an archive of cilium-cli, and what it does not tell', async () => {
    writeFileSync(join(folder, 'reference.zip'), zipOf(referenceArchive()));
    const { stdout, code } = await overview('reference.zip');
    expect([stdout, code]).toEqual(['', 0]);
    const page = textOf('page.html');
    expect(page).toContain('<dt>complete</dt><dd><b class="unknown">? not told</b></dd>');
    expect(page).toContain('<dt>Kubernetes</dt><dd><b class="unknown">? not known</b>');
    expect(page).toContain('<b class="unknown">? 0 of 2 ready, 2 not known</b>');
    expect(page).toContain(
      '<dt>components</dt><dd><b class="unknown">? 0 errors, 0 warnings, 5 not known</b></dd>',
    );
    expect(section(page, 'Problems of agents')).toContain('controller resolve-labels-default/frontend-7d9');
    expect(section(page, 'What is missing')).toContain('the archive has no index');
  });

  test('shows one that was not finished, with what is missing', async () => {
    const files = [...(await unzipped(join(folder, 'dump.zip')))].map(([name, bytes]) => {
      if (name !== 'index.json') return { name: `dump/${name}`, data: bytes };
      const index = JSON.parse(String(bytes)) as { tasks: object[] };
      const lost = { task: '[9] Collecting <b>logs</b>', group: 'logs', status: 'failed', files: [] };
      const broken = { ...index, isComplete: false, isRedacted: false, tasks: [...index.tasks, lost] };
      return { name: `dump/${name}`, data: Buffer.from(JSON.stringify(broken)) };
    });
    writeFileSync(join(folder, 'cut.zip'), zipOf(files.filter(({ name }) => !name.includes('hubble-flows'))));
    expect((await overview('cut.zip')).code).toBe(0);
    const page = textOf('page.html');
    expect(page).toContain('<dt>complete</dt><dd><b class="bad">✕ no</b></dd>');
    expect(page).toContain('<dt>secrets</dt><dd><b class="warning">! not replaced</b></dd>');
    expect(page).toContain('cut.zip was not finished');
    expect(section(page, 'What is missing')).toContain(
      '<td>[9] Collecting &#60;b&#62;logs&#60;/b&#62;</td><td></td><td>no reason was noted</td>',
    );
    expect(section(page, 'Flows')).toContain('Not known: cut.zip holds no flows');
  });

  test('shows the flows that can be read, and says how many lines cannot', async () => {
    const files = [...(await unzipped(join(folder, 'dump.zip')))];
    /** The archive with other lines of flows. The last one may break off, which is no damage: it is left out here. */
    const damaged = (damage: (lines: string[]) => string[]) =>
      zipOf(
        files.map(([name, bytes]) => {
          if (!name.includes('hubble-flows')) return { name: `dump/${name}`, data: bytes };
          const lines = String(bytes).split('\n').slice(0, -1);
          return { name: `dump/${name}`, data: Buffer.from(`${damage(lines).join('\n')}\n`) };
        }),
      );
    const flowsOf = (page: string) => Number(/<dt>flows<\/dt><dd><b class="\w+">. (\d+),/.exec(page)?.[1]);
    const whole = flowsOf(textOf('collected.html'));
    // One line of another kind, one that breaks off, one that is not text.
    const junk = ['<b>no</b> flow', '{"flow":{"time":"2026-', '\u0000{]'];
    const cases = [
      { more: junk.slice(0, 1), text: '1 line could not be read', fact: ', 1 line not read<' },
      { more: junk, text: '3 lines could not be read', fact: ', 3 lines not read<' },
    ];
    for (const { more, text, fact } of cases) {
      writeFileSync(
        join(folder, 'damaged.zip'),
        damaged((lines) => [...lines.slice(0, 5), ...more, ...lines.slice(5)]),
      );
      expect((await overview('damaged.zip')).code).toBe(0);
      const page = textOf('page.html');
      expect(flowsOf(page)).toBe(whole);
      expect(page).toContain(fact);
      expect(section(page, 'Drops')).toContain(`${text}, so that something may be missing (the first: `);
      expect(section(page, 'Drops')).toContain('POLICY_DENIED');
    }
    writeFileSync(
      join(folder, 'damaged.zip'),
      damaged(() => junk),
    );
    expect((await overview('damaged.zip')).code).toBe(0);
    expect(section(textOf('page.html'), 'Flows')).toMatch(
      /Not known: no line of the flows of .* could be read/,
    );
  });

  test('names in an archive stay text', async () => {
    const nodes = HOSTILE_NAMES.map((name) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      status: {
        conditions: [{ type: 'Ready', status: name, message: name }],
        nodeInfo: { kubeletVersion: name },
      },
    }));
    const list = goYaml({ apiVersion: 'v1', items: nodes, kind: 'NodeList' });
    writeFileSync(
      join(folder, 'hostile.zip'),
      zipOf([
        { name: 'cilium-sysdump-20260101-000000/k8s-nodes-20260101-000000.yaml', data: Buffer.from(list) },
      ]),
    );
    expect((await overview('hostile.zip')).code).toBe(0);
    const page = textOf('page.html');
    expect(page).not.toMatch(/<(?:script|img|svg|b>)|\u202e|\u0000/);
    expect(section(page, 'Nodes')).toContain('&#60;/script&#62;&#60;script&#62;alert(1)');
  });

  test.each([
    [['--from', 'dump.zip'], '--html says where an overview of it goes'],
    [['--from', 'dump.zip', '--quick', '--html', 'x.html'], '--quick is about collecting'],
    [['--from', 'dump.zip', '--html', 'x.html', 'more'], 'unknown argument "more"'],
    [['--from', 'dump.zip', '--html', 'nowhere/x.html'], 'no such file or directory'],
    [['--from', 'nothing.zip', '--html', 'x.html'], 'nothing.zip'],
  ])('%j is refused', async (words, message) => {
    const { stdout, stderr, code } = await run(['sysdump', ...words], { cwd: folder });
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('is refused with --estimate', async () => {
    const { stderr, code } = await cluster.run(['sysdump', '--estimate', '--html', 'x.html'], {
      cwd: folder,
    });
    expect([code, stderr]).toEqual([1, expect.stringContaining('--estimate makes none')]);
  });
});
