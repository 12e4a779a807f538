import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { answered, printed, referenceArchive } from '../helpers/reference-archive.ts';
import { replay } from '../helpers/replay.ts';
import { run } from '../helpers/run.ts';
import { zipOf } from '../helpers/zip.ts';

let folder: string;
let zip: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reference-'));
  zip = join(folder, 'dump.zip');
  writeFileSync(zip, zipOf(referenceArchive()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const from = (...argv: string[]) => run([...argv, '--from', 'dump.zip'], { cwd: folder });
const NODE = ['--node', 'worker-1'];

/** What a verb prints of the REST answers that the archive was made from. */
async function live(argv: readonly string[], paths: readonly string[]) {
  const exchanges = paths.map((path) => ({
    request: { method: 'GET', path },
    response: { status: 200, contentType: 'application/json', body: answered(path) },
  }));
  await using server = await replay(exchanges);
  return await run(argv, { env: { CILIUM_SOCK: server.socket } });
}

describe('of an archive of cilium-cli', () => {
  test.each([
    'bpf ct list global',
    'bpf nat list',
    'bpf lb list --revnat',
    'bpf endpoint list',
    'bpf ipcache list',
    'bpf fs show',
    'map list --verbose',
    'fqdn cache list',
    'identity list',
    'node list -o json',
  ])('%s is what its bugtool wrote', async (words) => {
    const { stdout, code } = await from(...words.split(' '), ...NODE);
    expect([stdout, code]).toEqual([printed(words), 0]);
  });

  test.each([
    ['without a table', ['bpf', 'ct', 'list', ...NODE], 'bpf ct list global'],
    ['with a short flag', ['bpf', 'policy', 'get', '--all', '-n', ...NODE], 'bpf policy get --all'],
    ['of the other name of the program', ['map', 'list', '--verbose', '--node', 'worker-2'], undefined],
  ])('a command is found %s', async (_, argv, words) => {
    const { stdout, code } = await from(...argv);
    expect([stdout, code]).toEqual([words ? printed(words) : printed('map list --verbose', 'worker-2'), 0]);
  });

  test('a command that failed fails again', async () => {
    const { stdout, code } = await from('bpf', 'egress', 'list', ...NODE);
    expect([stdout, code]).toEqual(['Error: cannot open the map\n', 1]);
  });

  test.each([
    [
      ['endpoint', 'list'],
      ['/v1/endpoint', '/v1/debuginfo'],
    ],
    [
      ['endpoint', 'list', '-o', 'json'],
      ['/v1/endpoint', '/v1/debuginfo'],
    ],
    [
      ['service', 'list'],
      ['/v1/service', '/v1/debuginfo', '/v1/healthz'],
    ],
    [
      ['policy', 'get'],
      ['/v1/policy', '/v1/debuginfo', '/v1/healthz'],
    ],
    [
      ['policy', 'selectors'],
      ['/v1/policy/selectors', '/v1/healthz', '/v1/debuginfo'],
    ],
  ])('%j follows from its debugging information and its JSON', async (argv, paths) => {
    const here = await live(argv, paths);
    const { stdout, code } = await from(...argv, ...NODE);
    expect(code).toBe(here.code);
    expect(stdout.split('\n').toSorted()).toEqual(here.stdout.split('\n').toSorted());
    expect(stdout).not.toBe('');
  });

  test('the cluster, its objects, logs and flows are read', async () => {
    expect((await from('status')).stdout).toContain('Helm chart version:    1.20.0');
    const policies = await from('policy', 'get', '-A');
    expect(policies.stdout).toMatch(/default +(?:ciliumnetworkpolicy\S*\/)?web +\d/);
    expect(policies.stderr).toContain('ages are as of 2026-11-29T');
    expect((await from('config', 'view')).stdout).toContain('tunnel-protocol');
    expect((await from('logs', '--node', 'worker-2')).stdout).toContain('of cilium-fghij');
    const flows = await from('hubble', 'observe', '--last', '7', '-o', 'jsonpb');
    expect(flows.stdout.trim().split('\n')).toHaveLength(7);
  });

  test.each([
    [['config', 'get', 'x', ...NODE], 'dump.zip holds no answer to GET /v1/config of node worker-1'],
    [
      ['bpf', 'auth', 'list', ...NODE],
      'dump.zip does not hold what "bpf auth list" printed on node worker-1',
    ],
    [['bpf', 'ct', 'list', '-o', 'json', ...NODE], 'What it holds of it: cilium-dbg-bpf-ct-list-global'],
    [['ip', 'list'], 'dump.zip has the agents of 2 nodes: which one is meant?'],
    [['lb-ip-pool', 'list'], 'dump.zip holds no ciliumloadbalancerippools'],
    [['endpoint', 'list', '--node', 'worker-9'], 'has no node worker-9'],
    [['config', 'set', 'a', 'b'], 'config set changes what it is about, and dump.zip is an archive'],
    [['endpoint', 'list', '--watch', ...NODE], '--watch is about what happens next'],
    [['status', '--context', 'x'], '--from and --context cannot be used together'],
    [['logs', '--previous', '--node', 'worker-2'], 'No container was restarted'],
  ])('what is not there is told: %j', async (argv, message) => {
    const { stderr } = await from(...argv);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/undefined|\[object|fault in the toolkit/);
  });

  test('drift is compared without what Helm wrote, which is said', async () => {
    const { stderr } = await from('config', 'drift');
    expect(stderr).toContain('what Helm wrote is left out: its release is there without a manifest');
    expect(stderr).toContain('dump.zip holds no answer to GET /v1/config of node worker-1');
  });

  test('the doctor compares what was printed of the maps with what the agent said', async () => {
    const { stdout, code } = await from('doctor', ...NODE);
    expect(code).toBe(0);
    expect(stdout).toMatch(/endpoint map.*agree/);
    expect(stdout).toMatch(/ipcache.*agree/);
    expect(stdout).toMatch(/policy maps.*agree/);
    expect(stdout).toMatch(/map pressure.*an archive, which does not tell this of the kernel/);
    expect(stdout).toMatch(/policy identities.*holds no answer to GET \/v1\/identity/);
    const live = await run(['doctor', ...NODE]);
    expect([live.code, live.stderr]).toEqual([
      1,
      expect.stringContaining('doctor reads the kernel of this machine'),
    ]);
  });

  test('what the bugtool asked of Envoy is read, and of the rest it is said that nobody did', async () => {
    expect((await from('envoy', 'admin', 'config', ...NODE)).stdout).toBe('{\n "configs": []\n}\n');
    expect((await from('envoy', 'admin', 'metrics', ...NODE)).stdout).toBe('envoy_server_live{} 1\n');
    for (const [words, path] of [
      [['certs'], 'GET /certs'],
      [['config', 'routes'], 'GET /config_dump?include_eds&resource=dynamic_route_configs'],
      [['logging', 'list'], 'POST /logging'],
    ] as const) {
      const { stdout, stderr, code } = await from('envoy', 'admin', ...words, ...NODE);
      expect([stdout, code]).toEqual(['', 1]);
      expect(stderr).toContain(`holds no answer to ${path} of node worker-1`);
    }
  });

  test('a kind that the cluster did not have is told apart from one that was not collected', async () => {
    const { stderr } = await from('lrp', 'list', '-A');
    expect(stderr).toContain('the cluster has no ciliumlocalredirectpolicies');
  });

  test.each([
    ['the folder it was unpacked to', true],
    ['such a folder without its top', false],
  ])('%s is read as well', async (_, hasTop) => {
    const root = mkdtempSync(join(folder, 'unpacked-'));
    for (const { name, data } of referenceArchive({ hasTop })) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), data);
    }
    const { stdout } = await run(['bpf', 'nat', 'list', ...NODE, '--from', root]);
    expect(stdout).toBe(printed('bpf nat list'));
  });

  test('without the lists of the cluster its agents are named by their pods', async () => {
    const bare = join(folder, 'bare.zip');
    writeFileSync(bare, zipOf(referenceArchive().filter(({ name }) => !/k8s-(?:nodes|pods)/.test(name))));
    const { stdout, code } = await run(['map', 'list', '--verbose', '--all-nodes', '--from', bare]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^cilium-abcde +## Map: cilium_lxc$/m);
    expect(stdout).toMatch(/^cilium-fghij +## Map: cilium_lxc$/m);
  });
});
