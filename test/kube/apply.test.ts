import { expect, test } from '@jest/globals';
import { type Applied, applyPolicyObjects } from '../../src/kube/apply.ts';
import { serveKube } from '../helpers/kube.ts';

const RESOURCES = {
  kind: 'APIResourceList',
  groupVersion: 'cilium.io/v2',
  resources: [
    { name: 'ciliumnetworkpolicies', kind: 'CiliumNetworkPolicy', namespaced: true, verbs: [] },
    {
      name: 'ciliumclusterwidenetworkpolicies',
      kind: 'CiliumClusterwideNetworkPolicy',
      namespaced: false,
      verbs: [],
    },
  ],
};

interface Patch {
  url: string;
  type: string | undefined;
  body: Record<string, unknown>;
}

/** Applies objects to a server that refuses the one named "bad". */
async function apply(
  objects: { value: Record<string, unknown>; namespace: string }[],
  dryRun = false,
): Promise<{ applied: Applied[]; patches: Patch[] }> {
  const patches: Patch[] = [];
  await using kube = await serveKube(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') return response.end(JSON.stringify(RESOURCES));
    const body = JSON.parse(Buffer.concat(parts).toString());
    patches.push({ url: request.url ?? '', type: request.headers['content-type'], body });
    if (body.metadata.name === 'bad') {
      response.statusCode = 422;
      return response.end(JSON.stringify({ kind: 'Status', message: 'spec is invalid' }));
    }
    return response.end(JSON.stringify(body));
  });
  const options = { env: {}, kubeconfig: kube.kubeconfig, dryRun };
  return { applied: await Array.fromAsync(applyPolicyObjects(objects, options)), patches };
}

const object = (kind: string, metadata: object, more: object = {}) => ({
  apiVersion: 'cilium.io/v2',
  kind,
  metadata,
  ...more,
});

test('objects go one after the other, and one that is refused does not keep the others back', async () => {
  const policy = (name: string) => ({ value: object('CiliumNetworkPolicy', { name }), namespace: 'shop' });
  const everywhere = {
    value: object('CiliumClusterwideNetworkPolicy', { name: 'all', namespace: 'left over' }),
    namespace: '',
  };
  const { applied, patches } = await apply([policy('one'), policy('bad'), everywhere]);
  expect(applied).toEqual([
    { name: 'CiliumNetworkPolicy shop/one', outcome: 'applied' },
    { name: 'CiliumNetworkPolicy shop/bad', outcome: 'failed', error: 'spec is invalid' },
    { name: 'CiliumClusterwideNetworkPolicy all', outcome: 'applied' },
  ]);
  const query = '?fieldManager=cilium-toolkit&force=true';
  expect(patches.map(({ url }) => url)).toEqual([
    `/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies/one${query}`,
    `/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies/bad${query}`,
    `/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies/all${query}`,
  ]);
  expect(patches[0]?.type).toBe('application/apply-patch+yaml');
  expect(patches.map(({ body }) => body.metadata)).toEqual([
    { name: 'one', namespace: 'shop' },
    { name: 'bad', namespace: 'shop' },
    { name: 'all' },
  ]);
});

test('what only the server writes is left out, and a dry run keeps nothing', async () => {
  const kept = { name: 'one', labels: { a: 'b' }, annotations: { c: 'd' } };
  const written = {
    managedFields: [],
    resourceVersion: '1',
    uid: 'u',
    creationTimestamp: 't',
    generation: 1,
    selfLink: '/',
  };
  const value = object('CiliumNetworkPolicy', { ...kept, ...written }, { spec: { x: 1 }, status: {} });
  const { patches } = await apply([{ value, namespace: 'shop' }], true);
  expect(patches[0]?.body).toEqual({
    ...object('CiliumNetworkPolicy', { ...kept, namespace: 'shop' }),
    spec: { x: 1 },
  });
  expect(patches[0]?.url).toContain('dryRun=All');
});
