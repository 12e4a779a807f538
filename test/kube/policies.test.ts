import { expect, test } from '@jest/globals';
import { listPolicies } from '../../src/kube/policies.ts';
import { serveKube } from '../helpers/kube.ts';

const { signal } = new AbortController();

test('both kinds are listed page by page, without the record of who set which field', async () => {
  const asked: string[] = [];
  await using kube = await serveKube((request, response) => {
    const url = new URL(request.url ?? '', 'http://kube');
    asked.push(url.search);
    response.setHeader('content-type', 'application/json');
    const first = !url.searchParams.has('continue');
    const wide = url.pathname.endsWith('/ciliumclusterwidenetworkpolicies');
    const metadata = wide
      ? { name: 'all', uid: 'u' }
      : { name: first ? 'one' : 'two', namespace: 'shop', managedFields: [{}] };
    const items = wide && first ? null : [{ metadata, spec: { n: 1 } }];
    response.end(JSON.stringify({ metadata: first ? { continue: 'next page' } : {}, items }));
  });
  const policies = await Array.fromAsync(listPolicies({ env: {}, signal, server: kube.url }));
  const apiVersion = 'cilium.io/v2';
  const namespaced = (name: string) => ({
    kind: 'CiliumNetworkPolicy',
    name: `shop/${name}`,
    object: {
      apiVersion,
      kind: 'CiliumNetworkPolicy',
      metadata: { name, namespace: 'shop' },
      spec: { n: 1 },
    },
  });
  expect(policies).toEqual([
    namespaced('one'),
    namespaced('two'),
    {
      kind: 'CiliumClusterwideNetworkPolicy',
      name: 'all',
      object: {
        apiVersion,
        kind: 'CiliumClusterwideNetworkPolicy',
        metadata: { name: 'all', uid: 'u' },
        spec: { n: 1 },
      },
    },
  ]);
  const [start, next] = ['?limit=500', '?limit=500&continue=next+page'];
  expect(asked.map((query) => query.replace('%20', '+'))).toEqual([start, next, start, next]);
});

test('a cluster without the CRDs has none, and one that refuses is told', async () => {
  await using empty = await serveKube((_, response) => response.writeHead(404).end('{}'));
  expect(await Array.fromAsync(listPolicies({ env: {}, signal, server: empty.url }))).toEqual([]);
  await using closed = await serveKube((_, response) => response.writeHead(403).end('{}'));
  await expect(Array.fromAsync(listPolicies({ env: {}, signal, server: closed.url }))).rejects.toThrow(
    `GET ${closed.url}/apis/cilium.io/v2/ciliumnetworkpolicies: the API server answered 403`,
  );
});
