import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fakePrograms } from '../helpers/programs.ts';
import type { RunOptions } from '../helpers/run.ts';
import { answer, ask as askAgent } from './status/serve.ts';

const INFO = {
  'cilium-version': '1.17.3 abc',
  'kernel-version': '6.1',
  'cilium-status': { cilium: { state: 'Ok', msg: '1.17.3 (x)' } },
  'endpoint-list': [{ id: 7, status: { identity: { id: 9 } } }],
  'service-list': [],
  policy: { policy: '[]', revision: 3 },
  'environment-variables': ['a:1', 'b:<2>'],
  subsystem: { ipam: 'dump' },
  encryption: {
    wireguard: {
      interfaces: [
        {
          name: 'wg0',
          'public-key': 'K=',
          'listen-port': 1,
          peers: [{ 'public-key': 'P=', 'allowed-ips': ['a', 'b'], 'transfer-rx': 5 }],
        },
      ],
    },
  },
  'cilium-memory-map': 'map',
};

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'debuginfo-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ask = (argv: string[], options: RunOptions = {}, info: unknown = INFO) =>
  askAgent(['debuginfo', ...argv], { others: [answer('/v1/debuginfo', info)] }, { cwd: folder, ...options });

describe('debuginfo', () => {
  // differs: debuginfo-endpoints
  test('asks the cilium of the PATH about each endpoint', async () => {
    using programs = fakePrograms({ cilium: 'echo "[$*]"; echo warn >&2' });
    const { stdout, stderr } = await ask([], { env: { PATH: `${programs.path}:/usr/bin:/bin` } });
    expect(stderr).toBe('');
    for (const [heading, words] of [
      ['BPF Policy Get 7', 'bpf policy get 7 -n'],
      ['BPF CT List 7', 'bpf ct list 7'],
      ['Endpoint Get 7', 'endpoint get 7'],
      ['Endpoint Health 7', 'endpoint health 7'],
      ['Endpoint Log 7', 'endpoint log 7'],
      ['Identity get 9', 'identity get 9'],
    ])
      expect(stdout).toContain(`\n#### ${heading}\n\n\`\`\`\n[${words}]\nwarn\n\n\`\`\`\n\n`);
  });

  test('shows the peers of WireGuard', async () => {
    const { stdout } = await ask([]);
    expect(stdout).toContain(
      '\n#### Cilium encryption\n\n\n##### WireGuard\n\n```\ninterface: wg0\n  public key: K=\n  listening port: 1\n\npeer: P=\n' +
        '  endpoint: \n  allowed ips: a, b\n  latest handshake: \n  transfer: 5 B received, 0 B sent\n\n```\n',
    );
  });

  test('says on stderr that it needs root, and that there is no cilium to ask', async () => {
    const { stderr, code } = await ask([], { uid: 1000 });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^Warning: .*root.*\nNote: no cilium on the PATH/);
    expect((await ask(['--output', 'json'], { uid: 1000 })).stderr).toBe('');
  });

  test('prints JSON and jsonpath', async () => {
    expect((await ask(['--output', 'json'])).stdout).toBe(
      `${JSON.stringify(INFO, undefined, 2).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e')}\n\n`,
    );
    expect((await ask(['--output', 'jsonpath={.policy.revision}'])).stdout).toBe('3\n');
  });

  // differs: debuginfo-html
  test('writes every form to a file of its own', async () => {
    const name = 'cilium-debuginfo-20261122-';
    const { stdout } = await ask([
      '--file',
      '--output',
      'markdown,html,json,jsonpath={.kernel-version}',
      '--output-directory',
      '.',
    ]);
    const files = readdirSync(folder).sort();
    expect(files.map((file) => file.replace(/^.*\./, ''))).toEqual(['html', 'json', 'jsonpath', 'md']);
    expect(files.every((file) => file.startsWith(name))).toBe(true);
    expect(
      stdout
        .split('\n')
        .slice(0, 4)
        .map((line) => line.split(' output at ./')[0]),
    ).toEqual(['markdown', 'html', 'json', 'jsonpath']);
    const read = (extension: string) =>
      readFileSync(join(folder, files.find((file) => file.endsWith(`.${extension}`)) ?? ''), 'utf8');
    expect(JSON.parse(read('json'))).toEqual(INFO);
    expect(read('html')).toContain('<h4>Kernel version</h4>\n\n<pre><code>6.1\n</code></pre>');
    expect(read('html')).toContain('b:&lt;2&gt;');
    expect(read('md')).toMatch(/^# Cilium debug information\n/);
    expect(statSync(join(folder, files[3] ?? '')).mode & 0o777).toBe(0o600);
  });

  test('writes a file per section', async () => {
    const own = mkdtempSync(join(folder, 'parts-'));
    const { stdout } = await ask(['-f', '--file-per-command'], { cwd: own });
    expect(readdirSync(own)).toHaveLength(10);
    expect(stdout).toMatch(/^markdown output at cilium-debuginfo-\S+-cilium-version\.md\n/);
  });

  test.each([
    [['--output-directory', 'x'], /needs --file/],
    [['--output', 'html'], /html needs --file/],
    [['--output', 'pdf'], /pdf is not a valid output format/],
    [['-f', '--file-per-command', '--output', 'json'], /does not support --file-per-command/],
  ])('refuses %j', async (flags, message) => {
    const { stdout, stderr, code } = await ask(flags);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(message);
  });

  test.each([
    ['nothing', ''],
    ['endpoints that are none', { 'endpoint-list': [5] }],
    ['a policy that is text', { policy: 'x' }],
  ])('is an error for %s', async (_, info) => {
    const { stdout, code } = await ask([], {}, info);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
  });

  test('is a report with little in it for an agent that says little', async () => {
    const { stdout, code } = await ask([], {}, { 'kernel-version': '' });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Cilium debug information\n\n#### Cilium version\n\n\n#### Kernel version\n/);
  });
});
