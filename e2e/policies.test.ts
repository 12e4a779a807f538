import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { run } from '../test/helpers/run.ts';
import { type ApiServer, startApiServer } from './api-server.ts';
import { addDefinition } from './definitions.ts';

const CNP = '/apis/cilium.io/v2/namespaces/default/ciliumnetworkpolicies';
const policy = (name: string, client: string) => ({
  apiVersion: 'cilium.io/v2',
  kind: 'CiliumNetworkPolicy',
  metadata: { name, namespace: 'default' },
  spec: {
    endpointSelector: { matchLabels: { app: 'web' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: client } }] }],
  },
});

let server: ApiServer;
const folder = mkdtempSync(join(tmpdir(), 'policies-'));

function file(...objects: object[]): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
  return path;
}

const as = (user: string, ...argv: string[]) => run(argv, { env: { KUBECONFIG: server.kubeconfig(user) } });
const importAs = (user: string, path: string, ...flags: string[]) =>
  as(user, 'policy', 'import', '--via', 'kubernetes', path, ...flags);
const stored = async (name: string) => JSON.parse((await server.call('GET', `${CNP}/${name}`)).body);

beforeAll(async () => {
  server = await startApiServer();
});
afterAll(async () => server[Symbol.asyncDispose]());

test('without the CRDs the resource is not found, and nothing is listed', async () => {
  const { stderr, code } = await importAs('admin', file(policy('web', 'a')));
  expect(code).toBe(1);
  expect(stderr).toContain(
    'CiliumNetworkPolicy default/web: the cluster has no resource CiliumNetworkPolicy of cilium.io/v2',
  );
  expect((await as('admin', 'preflight', 'validate-cnp')).stdout).toBe('All CCNPs and CNPs valid!\n');
});

describe('with the CRDs', () => {
  beforeAll(async () => {
    await addDefinition(server, 'ciliumnetworkpolicies');
  });

  test('a dry run keeps nothing, an import does, and the same import again changes nothing', async () => {
    const path = file(policy('one', 'a'));
    expect((await importAs('admin', path, '--dry-run')).stdout).toContain('default/one applied (dry run)');
    expect((await stored('one')).code).toBe(404);
    expect((await importAs('admin', path)).code).toBe(0);
    const before = await stored('one');
    expect(before.metadata.managedFields[0].manager).toBe('cilium-toolkit');
    expect(await importAs('admin', path)).toMatchObject({
      stdout: expect.stringContaining('default/one unchanged\n'),
      code: 0,
    });
    expect((await stored('one')).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  test('an object that the server refuses keeps all of them back', async () => {
    const bad = { ...policy('bad', 'a'), spec: { ...policy('bad', 'a').spec, ingress: 'all' } };
    const { stderr, code } = await importAs('admin', file(policy('good', 'a'), bad));
    expect(code).toBe(1);
    expect(stderr).not.toBe('');
    expect((await stored('good')).code).toBe(404);
  });

  test('a field of another manager stays, unless it is taken over', async () => {
    const path = file(policy('shared', 'ours'));
    expect((await importAs('admin', path)).code).toBe(0);
    const theirs = `${CNP}/shared?fieldManager=argocd&force=true`;
    await server.call('PATCH', theirs, policy('shared', 'theirs'), 'application/apply-patch+yaml');
    const { stdout, stderr, code } = await importAs('admin', path);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain('spec.ingress is managed by argocd');
    expect(JSON.stringify((await stored('shared')).spec)).toContain('theirs');
    expect((await importAs('admin', path, '--force-conflicts')).code).toBe(0);
    expect(JSON.stringify((await stored('shared')).spec)).toContain('ours');
  });

  test.each([
    ['viewer', 'User "viewer" cannot patch resource "ciliumnetworkpolicies" in API group "cilium.io"'],
    ['expired', 'The credentials are not accepted: has a token or certificate of the kubeconfig expired?'],
  ])('the user %s is told what is missing', async (user, message) => {
    const { stdout, stderr, code } = await importAs(user, file(policy('two', 'a')));
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain(message);
  });

  test('an import that the server dies in is finished by the next one', async () => {
    const objects = Array.from({ length: 60 }, (_, i) => policy(`many-${i}`, 'a'));
    const path = file(...objects);
    let lines = 0;
    const broken = await run(['policy', 'import', '--via', 'kubernetes', path], {
      env: { KUBECONFIG: server.kubeconfig('admin') },
      onStdout: (text) => {
        lines += text.split('\n').length - 1;
        if (lines === 20) void server.kill();
      },
    });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(/connection (?:broke|refused)/);
    await server.start();
    const told = broken.stdout.trim().split('\n').length;
    const { items } = JSON.parse((await server.call('GET', CNP)).body) as {
      items: { metadata: { name: string } }[];
    };
    // What was told stands; what was on its way may.
    const there = items.filter(({ metadata }) => metadata.name.startsWith('many-')).length;
    expect(there).toBeGreaterThanOrEqual(told);
    expect(there).toBeLessThanOrEqual(told + 1);
    const again = await importAs('admin', path);
    expect([again.code, again.stdout.trim().split('\n').length]).toEqual([0, 60]);
  });
});

describe('a set of policies that is pruned', () => {
  const labelled = (name: string) => {
    const one = policy(name, 'a');
    return { ...one, metadata: { ...one.metadata, labels: { set: 'shop' } } };
  };
  const prune = (path: string, ...flags: string[]) =>
    importAs('admin', path, '--prune', 'set=shop', ...flags);

  test('loses what is no longer among it, and nothing that others applied', async () => {
    expect((await importAs('admin', file(labelled('keep'), labelled('old')))).code).toBe(0);
    expect((await server.call('POST', CNP, labelled('foreign'))).status).toBe(201);
    const path = file(labelled('keep'));
    const dry = await prune(path, '--dry-run');
    expect([dry.stdout, dry.stderr.split('\n')[1], dry.code]).toEqual([
      'CiliumNetworkPolicy default/keep unchanged (dry run)\nCiliumNetworkPolicy default/old pruned (dry run)\n',
      '',
      0,
    ]);
    expect((await stored('old')).kind).toBe('CiliumNetworkPolicy');
    const undo = join(folder, 'pruned.json');
    const real = await prune(path, '--undo-file', undo);
    expect([real.stdout, real.code]).toEqual([
      'CiliumNetworkPolicy default/keep unchanged\nCiliumNetworkPolicy default/old pruned\n',
      0,
    ]);
    expect(real.stderr).toContain('CiliumNetworkPolicy default/foreign has the labels set=shop and stays');
    expect((await server.call('GET', `${CNP}/old`)).status).toBe(404);
    expect((await prune(path)).stdout).toBe('CiliumNetworkPolicy default/keep unchanged\n');
    expect((await importAs('admin', undo)).stdout).toBe('CiliumNetworkPolicy default/old applied\n');
    expect((await stored('old')).spec).toEqual(labelled('old').spec);
  });

  test('is not pruned when one of it cannot be applied', async () => {
    const { code } = await prune(
      file({ ...labelled('bad'), metadata: { name: 'Bad_Name', namespace: 'default' } }),
    );
    expect(code).toBe(1);
    expect((await stored('keep')).kind).toBe('CiliumNetworkPolicy');
  });
});
