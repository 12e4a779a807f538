import { expect, test } from '@jest/globals';
import { type Applied, type ApplyOptions, applyPolicyObjects } from '../../src/kube/apply.ts';
import { answerJson, refusal, serveKube } from '../helpers/kube.ts';

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

/** Applies objects to a server that refuses the one named "bad", and the one named "theirs" as managed by others. */
async function apply(
  objects: { value: Record<string, unknown>; namespace: string }[],
  over: Partial<ApplyOptions> = {},
): Promise<{ applied: Applied[]; patches: Patch[] }> {
  const patches: Patch[] = [];
  await using kube = await serveKube(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    if (request.method === 'GET')
      return answerJson(response, RESOURCES, request.url === '/apis/cilium.io/v2alpha1' ? 200 : 404);
    const body = JSON.parse(Buffer.concat(parts).toString());
    patches.push({ url: request.url ?? '', type: request.headers['content-type'], body });
    if (body.metadata.name === 'bad')
      return answerJson(response, refusal(422, 'Invalid', 'spec is invalid'), 422);
    if (body.metadata.name === 'theirs' && !request.url?.includes('force=true'))
      return answerJson(
        response,
        {
          ...refusal(409, 'Conflict', 'Apply failed with 1 conflict'),
          details: {
            causes: [
              {
                reason: 'FieldManagerConflict',
                message: 'conflict with "helm" using cilium.io/v2',
                field: '.spec.endpointSelector',
              },
            ],
          },
        },
        409,
      );
    return answerJson(response, body);
  });
  const { signal } = new AbortController();
  const options = {
    env: {},
    signal,
    kubeconfig: kube.kubeconfig,
    dryRun: false,
    forceConflicts: false,
    ...over,
  };
  return { applied: await Array.fromAsync(applyPolicyObjects(objects, options)), patches };
}

const object = (kind: string, metadata: object, more: object = {}) => ({
  apiVersion: 'cilium.io/v2',
  kind,
  metadata,
  ...more,
});

const policy = (name: string) => ({ value: object('CiliumNetworkPolicy', { name }), namespace: 'shop' });
const CHECKED = '?fieldManager=cilium-toolkit&dryRun=All';
const APPLIED = '?fieldManager=cilium-toolkit';

test('the server checks all objects first, then each is applied in the place that its scope has', async () => {
  const everywhere = {
    value: object('CiliumClusterwideNetworkPolicy', { name: 'all', namespace: 'left over' }),
    namespace: '',
  };
  const { applied, patches } = await apply([policy('one'), everywhere]);
  expect(applied).toMatchObject([
    { name: 'CiliumNetworkPolicy shop/one', outcome: 'applied', isThere: false },
    { name: 'CiliumClusterwideNetworkPolicy all', outcome: 'applied', isThere: false },
  ]);
  const paths = [
    '/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies/one',
    '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies/all',
  ];
  expect(patches.map(({ url }) => url)).toEqual(
    [CHECKED, APPLIED].flatMap((query) => paths.map((path) => path + query)),
  );
  expect(patches[0]?.type).toBe('application/apply-patch+yaml');
  expect(patches.slice(2).map(({ body }) => body.metadata)).toEqual([
    { name: 'one', namespace: 'shop' },
    { name: 'all' },
  ]);
});

test('where the server would refuse one object, none is applied', async () => {
  const { applied, patches } = await apply([policy('one'), policy('bad')]);
  expect(applied).toMatchObject([
    { name: 'CiliumNetworkPolicy shop/bad', outcome: 'failed', error: 'spec is invalid', hint: undefined },
  ]);
  expect(patches.every(({ url }) => url.endsWith(CHECKED))).toBe(true);
});

test('what somebody else manages is not taken over, unless it is asked for', async () => {
  const { applied } = await apply([policy('theirs')]);
  expect(applied).toMatchObject([
    {
      name: 'CiliumNetworkPolicy shop/theirs',
      outcome: 'failed',
      error: 'another manager has set: spec.endpointSelector is managed by helm',
      hint: 'Change it where it is managed (Helm, Argo CD, Flux, kubectl), or take the fields over with --force-conflicts.',
    },
  ]);
  const forced = await apply([policy('theirs')], { forceConflicts: true });
  expect(forced.applied).toMatchObject([{ name: 'CiliumNetworkPolicy shop/theirs', outcome: 'applied' }]);
});

test('a kind that is not known is asked for, and one that the cluster lacks is told', async () => {
  const value = {
    ...object('CiliumClusterwideNetworkPolicy', { name: 'a' }),
    apiVersion: 'cilium.io/v2alpha1',
  };
  const { patches } = await apply([{ value, namespace: '' }]);
  expect(patches[1]?.url).toBe(`/apis/cilium.io/v2alpha1/ciliumclusterwidenetworkpolicies/a${APPLIED}`);
  const missing = { ...value, apiVersion: 'cilium.io/v3' };
  await expect(apply([{ value: missing, namespace: '' }])).rejects.toThrow(
    'the cluster has no resource CiliumClusterwideNetworkPolicy of cilium.io/v3',
  );
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
  const { patches } = await apply([{ value, namespace: 'shop' }], { dryRun: true });
  expect(patches[0]?.body).toEqual({
    ...object('CiliumNetworkPolicy', { ...kept, namespace: 'shop' }),
    spec: { x: 1 },
  });
  expect(patches[0]?.url).toContain('dryRun=All');
});
