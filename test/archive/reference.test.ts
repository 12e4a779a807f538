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

  test('of tables that were not there nothing is said of their entries', async () => {
    const lost = ['cilium_ct4_global', 'cilium_ct_any4_global'].map(
      (name) => `Unable to open /run/6/tc/globals/${name}: no such file or directory. Skipping.\n`,
    );
    const isTable = (name: string) => name.includes('bpf-ct-list-global');
    const files = referenceArchive().map((file) =>
      isTable(file.name)
        ? {
            ...file,
            data: Buffer.from(file.data).toString().replace(printed('bpf ct list global'), lost.join('')),
          }
        : file,
    );
    writeFileSync(join(folder, 'lost.zip'), zipOf(files));
    const inLost = (...argv: string[]) => run([...argv, ...NODE, '--from', 'lost.zip'], { cwd: folder });
    const top = await inLost('bpf', 'ct', 'top');
    expect(top.stderr).toContain('no map of "bpf ct list global" was there');
    const orphans = await inLost('bpf', 'nat', 'orphans', '--pod-cidr', '192.0.2.0/24');
    expect([orphans.stdout.match(/^(?!ICMPv6|.*\[).*\(no connection\)$/gm), orphans.code]).toEqual([null, 0]);
  });

  test('single entries and what is counted follow from the tables that were printed', async () => {
    const row = printed('bpf ipcache list')
      .split('\n')
      .find((line) => /^\d+\.\d+\.\d+\.\d+\/32 /.test(line));
    const [, prefix = '', value = ''] = /^(\S+) +(\S.*?) *$/.exec(row ?? '') ?? [];
    const ip = prefix.replace('/32', '');
    expect((await from('bpf', 'ipcache', 'match', prefix, ...NODE)).stdout).toBe(
      `key ${prefix} has value "${value}"\n`,
    );
    expect((await from('bpf', 'ipcache', 'get', ip, ...NODE)).stdout).toBe(
      `${ip} maps to identity ${value}\n`,
    );
    const counted = (words: string, of: RegExp) =>
      printed(words)
        .split('\n')
        .filter((line) => of.test(line)).length;
    const connections = counted('bpf ct list global', /->/);
    expect((await from('bpf', 'ct', 'top', ...NODE)).stdout).toContain(`\n${connections} entries in all\n`);
    const outgoing = counted('bpf nat list', / OUT /);
    expect((await from('bpf', 'nat', 'top', ...NODE)).stdout).toContain(`\n${outgoing} entries in all\n`);
    const orphans = await from('bpf', 'nat', 'orphans', '--pod-cidr', '192.0.2.0/24', ...NODE);
    for (const line of orphans.stdout.split('\n').slice(0, -1))
      expect(printed('bpf nat list').split('\n')).toContain(line.replace(/ \([a-z ]+\)$/, ''));
    expect(orphans.code).toBe(0);
    const [, path = '', table = ''] =
      /Path: (\S+)\n\n([\s\S]*?\n)\n\n/.exec(printed('bpf policy get --all')) ?? [];
    expect((await from('bpf', 'policy', 'get', path, '-n', ...NODE)).stdout).toBe(table);
  });

  test.each([
    [
      ['bpf', 'policy', 'get', '1', '-o', 'json'],
      'does not hold what "bpf policy get --all -o json" printed',
    ],
    [['bpf', 'nat', 'orphans', '-o', 'json'], 'does not hold what "bpf nat list -o json" printed'],
    [['bpf', 'lb', 'maglev', 'get', '1'], 'does not hold what "bpf lb maglev list" printed'],
    [['bpf', 'egress', 'get', '10.0.0.1', '10.0.0.2'], 'cannot open the map'],
    [['bpf', 'sha', 'get', 'abcd'], 'does not hold what "bpf sha list" printed'],
  ])('what nothing follows from is told: %j', async (argv, message) => {
    const { stdout, stderr, code } = await from(...argv, ...NODE);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('a table that is none is an error with its place', async () => {
    const broken = join(folder, 'broken.zip');
    const files = referenceArchive().map((file) =>
      /bpf-(?:ct-list-global|ipcache-list|nat-list)\.md$/.test(file.name)
        ? {
            ...file,
            data: `${String(file.data)
              .slice(0, 400)
              .replace(/[^\n]*$/, '')}what is this\n`,
          }
        : file,
    );
    writeFileSync(broken, zipOf(files));
    for (const words of [
      ['ct', 'top'],
      ['nat', 'top'],
      ['ipcache', 'get', '10.0.0.1'],
    ]) {
      const { stdout, stderr, code } = await run(['bpf', ...words, ...NODE, '--from', broken]);
      expect([stdout, code]).toEqual(['', 1]);
      expect(stderr).toMatch(/what "bpf \w+ list(?: global)?" printed, line \d+, cannot be read: expected/);
    }
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
