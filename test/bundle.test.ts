import { execFile, execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encode } from '../src/hubble/protobuf/codec.ts';
import { recordedMessages, serveGrpc } from './helpers/grpc.ts';
import { answerJson, serveKube } from './helpers/kube.ts';
import { spawning } from './helpers/kubelet.ts';
import { serveCollector } from './helpers/otlp.ts';
import { fixture, type RestCase } from './helpers/recordings.ts';
import { referenceArchive } from './helpers/reference-archive.ts';
import { replay } from './helpers/replay.ts';
import { zipOf } from './helpers/zip.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TRACE = fileURLToPath(new URL('./helpers/trace-loads.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
const dist = join(folder, 'dist');

/** What a Hubble server answers to the command lines below. */
const OBSERVER = {
  '/grpc.health.v1.Health/Check': {
    messages: [encode('grpc.health.v1.HealthCheckResponse', { status: 'SERVING' })],
  },
  '/observer.Observer/ServerStatus': { messages: recordedMessages('relay-ServerStatus.grpc') },
  '/observer.Observer/GetNodes': { messages: recordedMessages('relay-GetNodes.grpc') },
  '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc').slice(-1) },
};

/** What esbuild says about the bundle, as far as it is read here. */
interface Meta {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
}

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), dist], { stdio: 'pipe' });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * What a command line of the bundle loads: ES modules of ours, modules of the script that are evaluated, npm packages in
 * both, and modules of Node's. Its stdout is a file, which needs none.
 */
async function loads(
  program: 'cilium' | 'hubble',
  argv: readonly string[],
  { env = {}, fails = false }: { env?: Record<string, string>; fails?: boolean } = {},
) {
  const trace = join(folder, 'trace.json');
  const words = ['--import', TRACE, join(dist, `${program}.cjs`), ...argv].map((word) => `'${word}'`);
  const script = `'${process.execPath}' ${words.join(' ')} >${folder}/out 2>${folder}/err`;
  const run = promisify(execFile)('sh', ['-c', script], {
    env: { HOME: folder, TRACE_LOADS: trace, ...env },
  });
  if (fails) await expect(run).rejects.toMatchObject({ code: 1 });
  else await run;
  const { files, evaluated, builtins }: { files: string[]; evaluated: string[]; builtins: string[] } =
    JSON.parse(readFileSync(trace, 'utf8'));
  const { outputs }: Meta = JSON.parse(readFileSync(join(dist, 'meta.json'), 'utf8'));
  const inputs = files.flatMap((file) => Object.entries(outputs[relative(ROOT, file)]?.inputs ?? {}));
  const packages = [...inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path)]
    .concat(evaluated)
    .map((path) => /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
    .filter((name) => name !== undefined);
  return { files, evaluated, builtins, packages: [...new Set(packages)].sort() };
}

const NOT_FOR_A_SOCKET = [
  ...['child_process', 'crypto', 'fs/promises', 'http', 'http2', 'https', 'perf_hooks', 'readline'],
  ...['tls', 'worker_threads', 'zlib'],
];
const NOT_WITHOUT_A_SOCKET = [...NOT_FOR_A_SOCKET, 'net', 'stream', 'tty'];

test.each([
  { verb: 'version', most: 8, packages: ['commander'] },
  { verb: 'status', most: 17, packages: ['commander'] },
  { verb: 'endpoint list', most: 12, packages: ['commander'] },
])(
  'cilium $verb loads few files, and no library or module that it does not run',
  async ({ verb, most, packages: expected }) => {
    const recorded = fixture<RestCase[]>('recordings/agent-1.20.json').find(
      ({ argv }) => argv.join(' ') === verb,
    );
    await using server = await replay(recorded?.exchanges ?? []);
    const env = { CILIUM_SOCK: server.socket, CILIUM_HEALTH_SOCK: '/nonexistent/health.sock' };
    const { files, builtins, packages } = await loads('cilium', verb.split(' '), { env });
    expect(files.length).toBeLessThanOrEqual(most);
    expect(packages).toEqual(expected);
    expect(builtins.filter((name) => NOT_FOR_A_SOCKET.includes(name))).toEqual([]);
  },
);

const FLOW_FILE = join(ROOT, 'fixtures/recordings/flows-1.20.jsonl');

test.each([
  { line: 'version', most: 35, packages: ['commander'], not: NOT_WITHOUT_A_SOCKET },
  { line: 'config view', most: 42, packages: ['commander'], not: NOT_WITHOUT_A_SOCKET },
  { line: '--help', most: 34, packages: ['commander'], not: NOT_WITHOUT_A_SOCKET },
  { line: '--bogus', most: 34, packages: ['commander'], not: NOT_WITHOUT_A_SOCKET, fails: true },
  { line: 'status', most: 112, packages: ['commander'], not: [...NOT_FOR_A_SOCKET, 'tty'] },
  { line: 'list nodes', most: 112, packages: ['commander'], not: [...NOT_FOR_A_SOCKET, 'tty'] },
  {
    line: 'observe --last 1',
    most: 155,
    packages: ['chalk', 'commander'],
    not: [...NOT_FOR_A_SOCKET, 'tty'],
  },
  {
    line: 'observe --bogus',
    most: 45,
    packages: ['commander'],
    not: NOT_WITHOUT_A_SOCKET,
    fails: true,
  },
  {
    line: `observe --input-file ${FLOW_FILE}`,
    most: 147,
    packages: ['chalk', 'commander'],
    not: NOT_WITHOUT_A_SOCKET.filter((name) => name !== 'fs/promises'),
  },
])(
  'hubble $line runs from the script alone, and loads no library or module that it does not run',
  async ({ line, most, packages: expected, not, fails = false }) => {
    await using server = await serveGrpc(OBSERVER);
    const env = { HUBBLE_SERVER: server.address };
    const { files, evaluated, builtins, packages } = await loads('hubble', line.split(' '), { env, fails });
    expect(files.map((file) => relative(dist, file))).toEqual(['hubble.cjs']);
    expect(evaluated.length).toBeLessThanOrEqual(most);
    expect(packages).toEqual(expected);
    expect(builtins.filter((name) => not.includes(name))).toEqual([]);
  },
);

describe('the code cache', () => {
  const cache = join(dist, '.cache');
  const version = async () =>
    (
      await promisify(execFile)(process.execPath, [join(dist, 'hubble.cjs'), 'version'], {
        env: { HOME: folder },
      })
    ).stdout;
  const kept = () => readdirSync(cache).filter((name) => name.endsWith('-hubble-version'));

  test('is kept for a verb, and used', async () => {
    rmSync(cache, { recursive: true, force: true });
    const first = await version();
    const [name = ''] = kept();
    const { ino, size } = statSync(join(cache, name));
    expect(size).toBeGreaterThan(100_000);
    expect(await version()).toBe(first);
    expect(statSync(join(cache, name)).ino).toBe(ino);
    expect(readdirSync(cache).filter((each) => /\.\d+$/.test(each))).toEqual([]);
  });

  test.each([
    { what: 'cut off', broken: (bytes: Buffer) => bytes.subarray(0, 1000) },
    { what: 'empty', broken: () => Buffer.alloc(0) },
    { what: 'of something else', broken: (bytes: Buffer) => Buffer.alloc(bytes.length, 'x') },
    {
      what: 'wrong in a block',
      broken: (bytes: Buffer) => Buffer.from(bytes).fill(0, bytes.length / 8, bytes.length / 8 + 4096),
    },
  ])('is made again when it is $what', async ({ broken }) => {
    const first = await version();
    const path = join(cache, kept()[0] ?? '');
    const good = readFileSync(path);
    writeFileSync(path, broken(good));
    expect(await version()).toBe(first);
    expect(statSync(path).size).toBeGreaterThan(100_000);
  });

  test('is not kept beside a hundred others', async () => {
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache);
    for (let i = 0; i < 100; i++) writeFileSync(join(cache, String(i)), '');
    expect(await version()).toContain('hubble ');
    expect(kept()).toEqual([]);
  });

  test('does not count, and is not made, where others can write', async () => {
    rmSync(cache, { recursive: true, force: true });
    await version();
    const path = join(cache, kept()[0] ?? '');
    writeFileSync(path, 'of somebody else');
    chmodSync(cache, 0o777);
    expect(await version()).toContain('hubble ');
    chmodSync(cache, 0o755);
    expect(readFileSync(path, 'utf8')).toBe('of somebody else');
    expect(await version()).toContain('hubble ');
    expect(statSync(path).size).toBeGreaterThan(100_000);
  });

  test('is done without where none can be written', async () => {
    rmSync(cache, { recursive: true, force: true });
    writeFileSync(cache, '');
    expect(await version()).toContain('hubble ');
    rmSync(cache);
  });
});

test('a module of the script that a later file imports is the same', async () => {
  const argv = [join(dist, 'cilium.cjs'), 'policy', 'validate', join(folder, 'none.yaml')];
  const run = promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  // An error of a class that main did not know would be called a fault of the toolkit.
  await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.not.stringContaining('fault') });
});

test('every chunk of the bundle can be loaded by itself', async () => {
  // Ink's bridge to devtools is cut out and never loaded.
  const chunks = readdirSync(join(dist, 'chunks')).filter((name) => /^(?!devtools).*\.js$/.test(name));
  const script = `for (const name of ${JSON.stringify(chunks)}) await import(${JSON.stringify(`${dist}/chunks/`)} + name);`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `${script} process.exit(0);`]);
});

test('the bundle holds the schemas that policies are checked with', async () => {
  const file = join(folder, 'policy.yaml');
  const spec = { endpointSelector: {}, ingress: [{ fromEntities: ['world'] }] };
  const policy = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'a' }, spec };
  writeFileSync(file, JSON.stringify(policy));
  const argv = [join(dist, 'cilium.cjs'), 'policy', 'validate', file];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  expect(stdout).toContain('are valid');
});

test('the bundle reaches the agent of a node through an API server', async () => {
  const recorded = fixture<RestCase[]>('recordings/agent-1.20.json').find(
    ({ argv }) => argv.join(' ') === 'endpoint list',
  );
  await using agent = await replay(recorded?.exchanges ?? []);
  const pod = {
    metadata: { namespace: 'kube-system', name: 'cilium-1' },
    spec: { nodeName: 'n1' },
    status: { containerStatuses: [{ name: 'cilium-agent', state: { running: {} } }] },
  };
  await using kube = await serveKube(
    (_, response) => answerJson(response, { items: [pod] }),
    spawning((word) => (word === '/var/run/cilium/cilium.sock' ? agent.socket : word)),
  );
  const argv = [join(dist, 'cilium.cjs'), 'endpoint', 'list', '--node', 'n1'];
  const env = { HOME: folder, PATH: process.env.PATH, KUBECONFIG: kube.kubeconfig };
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env });
  expect(stdout).toContain('ENDPOINT');
});

test('the bundle has what it loads late of Node by its names', async () => {
  await using server = await serveGrpc({
    '/observer.Observer/GetFlows': {
      raw: (stream) => {
        stream.respond({ ':status': 502, 'content-type': 'text/html' });
        stream.end('<html>');
      },
    },
  });
  const argv = [join(dist, 'hubble.cjs'), 'observe', '--server', server.address];
  const run = promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  await expect(run).rejects.toMatchObject({
    stderr: expect.stringContaining('unexpected HTTP status code received from server: 502 (Bad Gateway)'),
  });
});

test.each(['http/protobuf', 'http/json'])('the bundle sends flows to a collector as %s', async (protocol) => {
  await using collector = await serveCollector();
  const argv = [join(dist, 'hubble.cjs'), 'export', 'otlp', '--input-file', FLOW_FILE];
  const flags = ['--endpoint', collector.endpoint, '--otlp-protocol', protocol];
  await promisify(execFile)(process.execPath, [...argv, ...flags], { env: { HOME: folder } });
  expect(collector.taken.length).toBe(readFileSync(FLOW_FILE, 'utf8').trim().split('\n').length);
});

// YAML needs the description of the agent's API, a document that the script loads late.
test.each([
  { flags: [], shown: /^ENDPOINT/ },
  { flags: ['-o', 'yaml'], shown: /^- id: \d+$/m },
])('the bundle reads an archive $flags', async ({ flags, shown }) => {
  const path = join(folder, 'archive.zip');
  writeFileSync(path, zipOf(referenceArchive()));
  const argv = [join(dist, 'cilium.cjs'), 'endpoint', 'list', '--from', path, '--node', 'worker-1', ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  expect(stdout).toMatch(shown);
});
