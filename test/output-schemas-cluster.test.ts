import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { startTestCluster, type TestCluster } from './helpers/cluster.ts';
import { documentsOf, readSchema, schemaFor, validatorOf } from './helpers/documents.ts';

/** Command lines for each document that a lab of a cluster has. */
const OURS: Readonly<Record<string, readonly string[]>> = {
  'all-nodes': ['endpoint list --all-nodes', 'bpf nodeid list --all-nodes'],
  'clustermesh-inspect-policy-default-local-cluster': [
    'clustermesh inspect-policy-default-local-cluster --all-namespaces',
  ],
  'clustermesh-status': ['clustermesh status'],
  'config-drift': ['config drift'],
  'config-lint': ['config lint --live'],
  'config-view': ['config view'],
  'egress-gateway-status': ['egress-gateway status'],
  'encryption-status': ['encryption status', 'encrypt status --cluster'],
  'encryption-status-nodes': ['encryption status --per-node-details'],
  'features-status': ['features status'],
  images: ['images'],
  'policy-coverage': ['policy coverage --state cluster'],
  'preflight-upgrade': ['preflight upgrade --to 1.20'],
  'preflight-validate-cnp': ['preflight validate-cnp'],
  'status-cluster': ['status', 'status --unmanaged'],
  'status-consistency': ['status --consistency'],
  'status-rollout': ['status --rollout'],
  'version-cluster': ['version'],
};

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ scenario: 'incident' });
});
afterAll(async () => cluster[Symbol.asyncDispose]());

async function documentsFrom(line: string): Promise<unknown[]> {
  const { stdout, stderr } = await cluster.run([...line.split(' '), '-o', 'json']);
  const documents = stdout === '' ? undefined : documentsOf(stdout);
  if (!documents) throw new Error(`${line}: ${stdout}${stderr}`);
  return documents;
}

test.each(Object.entries(OURS))('%s.json is what its verb prints', async (name, lines) => {
  const validate = await validatorOf(name);
  for (const line of lines) {
    expect({ line, schema: schemaFor(line.split(' '), { CILIUM_TARGET: 'cluster' }) }).toEqual({
      line,
      schema: name,
    });
    for (const document of await documentsFrom(line))
      expect({ line, valid: validate(document), errors: validate.errors }).toEqual({
        line,
        valid: true,
        errors: null,
      });
  }
});

const OBJECTS = readSchema('objects') as { verbs: Record<string, string>; list: object };

test.each([...Object.entries(OBJECTS.verbs), ['policy get --all-namespaces', undefined]])(
  '%s prints a list of %s',
  async (line, kind) => {
    const validate = new Ajv({ strict: false, allErrors: true }).compile<{ items: { kind: string }[] }>(
      OBJECTS.list,
    );
    const [document] = await documentsFrom(line);
    expect({ valid: validate(document), errors: validate.errors }).toEqual({ valid: true, errors: null });
    const { items } = document as { items: { kind: string }[] };
    if (kind !== undefined) expect(items.filter((item) => item.kind !== kind)).toEqual([]);
  },
);
