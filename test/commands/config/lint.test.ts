import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { run } from '../../helpers/run.ts';
import { configCluster } from './cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'lint-'));
const OLD = 'tunnel: disabled # no overlay\nnodePort:\n  enabled: true\n';
writeFileSync(join(folder, 'old.yaml'), OLD);
writeFileSync(join(folder, 'new.yaml'), 'routingMode: native\n');
const lint = (argv: readonly string[], stdin?: string) =>
  run(['config', 'lint', ...argv], { cwd: folder, ...(stdin !== undefined && { stdin }) });

test('findings stand at their places, errors end with 1', async () => {
  const { stdout, stderr, code } = await lint(['old.yaml', '--target', '1.20']);
  expect(stdout).toBe(
    'old.yaml:1:1: error: tunnel is gone since 1.15: write routingMode: native; the chart of 1.20 refuses it\n' +
      '    Native routing needs routes between the nodes (autoDirectNodeRoutes=true on one L2 network), and ipv4NativeRoutingCIDR where addresses are masqueraded.\n' +
      'old.yaml:3:3: warning: nodePort.enabled is gone since 1.19: charts of 1.20 do not look at it\n' +
      '    In its place: kubeProxyReplacement=true\n',
  );
  expect([stderr, code]).toEqual(['1 error, 1 warning for 1.20.\n', 1]);
});

test.each([
  [['new.yaml'], 0],
  [['--set', 'hostPort.enabled=true'], 0],
  [['--set', 'hostPort.enabled=true', '--fail-on', 'warning'], 1],
  [['old.yaml', '--fail-on', 'never'], 0],
  [['old.yaml', '--target', '1.13'], 0],
  [['old.yaml', '--target', '1.15'], 1],
])('the exit code of %j is %d', async (argv, code) => {
  expect((await lint(argv)).code).toBe(code);
});

test('stdin is read as -, and a newer release is checked as the newest that is known', async () => {
  const { stdout, stderr } = await lint(['-', '--target', '1.99'], OLD);
  expect(stdout).toContain('<stdin>:1:1: error');
  expect(stderr).toContain('the toolkit knows releases up to 1.20: 1.99 is checked as 1.20.');
});

test('-o json and sarif carry places, codes and what to write', async () => {
  const json = JSON.parse((await lint(['old.yaml', '-o', 'json'])).stdout);
  expect(json).toMatchObject({ valid: false, files: 1 });
  expect(json.findings[1]).toMatchObject({
    ...{ file: 'old.yaml', line: 3, column: 3, severity: 'warning', code: 'removed' },
    ...{ path: ['nodePort', 'enabled'], hint: 'In its place: kubeProxyReplacement=true' },
  });
  const { runs } = JSON.parse((await lint(['old.yaml', '-o', 'sarif'])).stdout);
  expect(runs[0].tool.driver.name).toBe('cilium config lint');
  expect(runs[0].results[0]).toMatchObject({ ruleId: 'refused', level: 'error' });
});

describe('--fix', () => {
  test('prints the repaired file, with what is left on stderr', async () => {
    const { stdout, stderr, code } = await lint(['old.yaml', '--fix']);
    expect(stdout).toBe('routingMode: native # no overlay\nnodePort:\n  enabled: true\n');
    expect(stderr).toContain('1 finding repaired, 1 left.\n');
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'old.yaml'), 'utf8')).toBe(OLD);
  });

  test('prints the pairs of --set as flags', async () => {
    const { stdout } = await lint([
      ...[
        '--set',
        'kubeProxyReplacement=strict,tunnel=vxlan',
        '--set',
        'operator.extraArgs={a b,c}',
        '--fix',
      ],
    ]);
    expect(stdout).toBe(
      "--set kubeProxyReplacement=true\n--set routingMode=tunnel\n--set 'operator.extraArgs={a b,c}'\n--set tunnelProtocol=vxlan\n",
    );
  });

  test('what moved twice is followed to where it is today', async () => {
    const { stdout } = await lint(
      ['-', '--fix'],
      'global:\n  hostServices:\n    enabled: true\n  tunnel: geneve\n',
    );
    expect(stdout).toBe('socketLB:\n  enabled: true\nroutingMode: tunnel\ntunnelProtocol: geneve\n');
  });

  test('a file without findings is printed as it is', async () => {
    const text = 'debug:   {enabled: true}   # odd\n\n\n# end\n';
    expect((await lint(['-', '--fix'], text)).stdout).toBe(text);
  });

  test.each([[['old.yaml', 'new.yaml', '--fix']], [['--live', '--fix']]])('%j is refused', async (argv) => {
    const { stdout, code, stderr } = await lint(argv);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('--fix repairs one file at a time');
  });
});

describe('--live', () => {
  test('checks the ConfigMap for the release that runs, or for another', async () => {
    const daemonSet = {
      metadata: { name: 'cilium', namespace: 'kube-system' },
      spec: {
        template: {
          spec: { containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.13.4@sha256:x' }] },
        },
      },
    };
    await using cluster = await configCluster(
      { data: { 'enable-ipv4': 'true', metrics: '+a\n+b', tunnel: 'vxlan' } },
      (call) => (/daemonsets$/.test(call) ? { body: { items: [daemonSet] } } : undefined),
    );
    expect(await cluster.run(['config', 'lint', '--live'])).toEqual({
      stdout: '',
      stderr: '0 errors, 0 warnings for 1.13.\n',
      code: 0,
    });
    const { stdout, code } = await cluster.run(['config', 'lint', '--live', '--target', '1.15']);
    expect(code).toBe(1);
    // The place is the line of `config view`.
    expect(stdout).toContain('configmap/kube-system/cilium-config:4:1: error: tunnel is gone since 1.15');
  });
});

test.each([
  [[], 'nothing to check: name files, or use --set or --live'],
  [['old.yaml', '--live'], '--live checks the ConfigMap of the cluster'],
  [['--set', 'nothing'], '"nothing" is no pair'],
  [['missing.yaml'], 'no such file or directory'],
])('%j is refused', async (argv, message) => {
  const { stdout, stderr, code } = await lint(argv);
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain(message);
});

test.each([
  [
    'aliases that unfold to any number',
    `a0: &a0 {x: 1}\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} {p: *a${i}, q: *a${i}}\n`).join('')}`,
  ],
  ['an alias within itself', 'a: &a\n  b: *a\n'],
  [
    'merges of merges',
    `a0: &a0 {x: 1}\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1}\n  <<: *a${i}\n  k${i}: *a${i}\n`).join('')}`,
  ],
  ['lists in lists', `debug: ${'['.repeat(5000)}`],
  ['maps in maps', Array.from({ length: 3000 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
])('%s end in an error, and soon', async (_, text) => {
  const { stdout, stderr, code } = await lint(['-'], text);
  expect(code).toBe(1);
  expect(stdout + stderr).toMatch(/error/i);
  expect(stderr).not.toContain('fault in the toolkit');
});
