import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { recordedMessages, serveGrpc } from './helpers/grpc.ts';
import { answerJson, serveKube } from './helpers/kube.ts';
import { spawning } from './helpers/kubelet.ts';
import { fixture, type RestCase } from './helpers/recordings.ts';
import { referenceArchive } from './helpers/reference-archive.ts';
import { replay } from './helpers/replay.ts';
import { zipOf } from './helpers/zip.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TRACE = fileURLToPath(new URL('./helpers/trace-loads.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
const dist = join(folder, 'dist');

/** What esbuild says about the bundle, as far as it is read here. */
interface Meta {
  outputs: Record<string, { inputs: Record<string, { bytesInOutput: number }> }>;
}

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.mjs'), dist], { stdio: 'pipe' });
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a command line of the bundle loads: files of ours, npm packages in them, modules of Node's. */
async function loads(program: 'cilium' | 'hubble', argv: readonly string[], env: Record<string, string>) {
  const trace = join(folder, 'trace.json');
  await promisify(execFile)(process.execPath, ['--import', TRACE, join(dist, `${program}.js`), ...argv], {
    env: { HOME: folder, TRACE_LOADS: trace, ...env },
  });
  const { files, builtins }: { files: string[]; builtins: string[] } = JSON.parse(
    readFileSync(trace, 'utf8'),
  );
  const { outputs }: Meta = JSON.parse(readFileSync(join(dist, 'meta.json'), 'utf8'));
  const inputs = files.flatMap((file) => Object.entries(outputs[relative(ROOT, file)]?.inputs ?? {}));
  const packages = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return { files, builtins, packages: [...new Set(packages)].filter((name) => name !== undefined).sort() };
}

const NOT_FOR_A_SOCKET = ['child_process', 'crypto', 'http', 'http2', 'https', 'readline', 'tls', 'zlib'];

test.each([
  { verb: 'version', most: 6, packages: ['commander'] },
  { verb: 'status', most: 14, packages: ['commander'] },
  { verb: 'endpoint list', most: 15, packages: ['chalk', 'commander'] },
])(
  'cilium $verb loads few files, and no library or module that it does not run',
  async ({ verb, most, packages: expected }) => {
    const recorded = fixture<RestCase[]>('recordings/agent-1.20.json').find(
      ({ argv }) => argv.join(' ') === verb,
    );
    await using server = await replay(recorded?.exchanges ?? []);
    const env = { CILIUM_SOCK: server.socket, CILIUM_HEALTH_SOCK: '/nonexistent/health.sock' };
    const { files, builtins, packages } = await loads('cilium', verb.split(' '), env);
    expect(files.length).toBeLessThanOrEqual(most);
    expect(packages).toEqual(expected);
    expect(builtins.filter((name) => NOT_FOR_A_SOCKET.includes(name))).toEqual([]);
  },
);

test.each([
  { verb: 'version', most: 6, packages: ['commander'] },
  { verb: 'observe --last 20', most: 37, packages: ['chalk', 'commander'] },
])(
  'hubble $verb loads few files, and no library that it does not run',
  async ({ verb, most, packages: expected }) => {
    await using server = await serveGrpc({
      '/observer.Observer/GetFlows': { messages: recordedMessages('getflows-300.grpc').slice(-20) },
    });
    const { files, packages } = await loads('hubble', verb.split(' '), { HUBBLE_SERVER: server.address });
    expect(files.length).toBeLessThanOrEqual(most);
    expect(packages).toEqual(expected);
  },
);

test('every chunk of the bundle can be loaded by itself', async () => {
  // Ink's bridge to devtools is cut out and never loaded.
  const chunks = readdirSync(join(dist, 'chunks')).filter((name) => /^(?!devtools).*\.js$/.test(name));
  const script = `for (const name of ${JSON.stringify(chunks)}) await import(${JSON.stringify(`${dist}/chunks/`)} + name);`;
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', `${script} process.exit(0);`]);
}, 60_000);

test('the bundle holds the schemas that policies are checked with', async () => {
  const file = join(folder, 'policy.yaml');
  const spec = { endpointSelector: {}, ingress: [{ fromEntities: ['world'] }] };
  const policy = { apiVersion: 'cilium.io/v2', kind: 'CiliumNetworkPolicy', metadata: { name: 'a' }, spec };
  writeFileSync(file, JSON.stringify(policy));
  const argv = [join(dist, 'cilium.js'), 'policy', 'validate', file];
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
  const argv = [join(dist, 'cilium.js'), 'endpoint', 'list', '--node', 'n1'];
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
  const argv = [join(dist, 'hubble.js'), 'observe', '--server', server.address];
  const run = promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  await expect(run).rejects.toMatchObject({
    stderr: expect.stringContaining('unexpected HTTP status code received from server: 502 (Bad Gateway)'),
  });
});

test('the bundle reads an archive', async () => {
  const path = join(folder, 'archive.zip');
  writeFileSync(path, zipOf(referenceArchive()));
  const argv = [join(dist, 'cilium.js'), 'endpoint', 'list', '--from', path, '--node', 'worker-1'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { HOME: folder } });
  expect(stdout).toContain('ENDPOINT');
});
