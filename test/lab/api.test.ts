import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { type ApiDescription, readApi } from '../../src/lab/rest/api.ts';
import { HANDLERS } from '../../src/lab/rest/handlers.ts';
import { Router } from '../../src/lab/rest/router.ts';
import { AGENT_VERSIONS } from '../../src/lab/version.ts';
import { startTestLab } from '../helpers/lab.ts';

/**
 * The description as real agents keep it: enums in any case, `sync` as a map entry's action, settings of every type,
 * and null wherever Go writes an empty list or map.
 */
function lenient(api: ApiDescription): ApiDescription {
  return JSON.parse(
    JSON.stringify(api, (key, value) => {
      if (key === 'daemonConfigurationMap') return { type: 'object' };
      if (key !== 'enum' || !Array.isArray(value)) return value;
      const words = value.flatMap((word: string) => [
        word,
        word.toUpperCase(),
        word.toLowerCase(),
        word.charAt(0).toUpperCase() + word.slice(1),
      ]);
      if (value.includes('ok') && value.includes('insert')) words.push('sync');
      if (value.includes('Generic')) words.push('Disabled');
      return [...new Set(words)];
    }),
  );
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([k, v]) => (v === null ? [] : [[k, withoutNulls(v)]])),
  );
}

/** What a GET is asked about. */
const PLACES: Record<string, string> = {
  '/endpoint/{id}': '/endpoint/2622',
  '/endpoint/{id}/config': '/endpoint/pod-name:default%2Fapi-5c6/config',
  '/endpoint/{id}/labels': '/endpoint/ipv4:10.11.7.179/labels',
  '/endpoint/{id}/log': '/endpoint/2622/log',
  '/endpoint/{id}/healthz': '/endpoint/2622/healthz',
  '/identity/{id}': '/identity/75536',
  '/service/{id}': '/service/1',
  '/map/{name}': '/map/cilium_lxc',
  '/map/{name}/events': '/map/cilium_ipcache_v2/events',
  '/fqdn/cache/{id}': '/fqdn/cache/3800',
  '/recorder/{id}': '/recorder/7',
  '/bgp/routes': '/bgp/routes?table_type=loc-rib&afi=ipv4&safi=unicast',
};

test('every operation of the API has a handler, and no handler is without an operation', () => {
  const keys = new Router(readApi(), 'all').keys();
  expect(Object.keys(HANDLERS).toSorted()).toEqual(keys.toSorted());
});

test.each(AGENT_VERSIONS)('every GET of agent version %s answers what the API describes', async (version) => {
  await using lab = await startTestLab({ version });
  await lab.rest('PUT', '/v1/recorder/7', {
    id: 7,
    filters: [{ 'src-prefix': '10.0.0.0/8', protocol: 'TCP' }],
  });
  const api = lenient(readApi());
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(api, 'api');
  const failures: string[] = [];
  let count = 0;
  for (const key of new Router(readApi(), version).keys()) {
    const [method, template = ''] = key.split(' ');
    if (method !== 'GET') continue;
    count++;
    const answer = await lab.rest('GET', `/v1${PLACES[template] ?? template}`);
    const operation = api.paths[template]?.get;
    if (!operation || !(String(answer.status) in operation.responses))
      failures.push(`${key}: status ${answer.status}: ${answer.text}`);
    const schema = operation?.responses[String(answer.status)];
    if (!schema || template === '/map/{name}/events') continue;
    const check = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')));
    if (!check(withoutNulls(answer.json)))
      failures.push(...(check.errors ?? []).map((e) => `${key}: ${e.instancePath} ${e.message}`));
  }
  expect(failures).toEqual([]);
  expect(count).toBeGreaterThan(25);
});

test('a path or method that the played version lacks is refused as the reference does', async () => {
  await using lab = await startTestLab({ version: '1.20' });
  const put = await lab.rest('PUT', '/v1/policy', '"[]"');
  expect(put).toMatchObject({
    status: 405,
    json: { code: 405, message: 'method PUT is not allowed, but [GET] are' },
  });
  const none = await lab.rest('GET', '/v1/nonsense');
  expect(none).toMatchObject({
    status: 404,
    json: { code: 404, message: 'path /v1/nonsense was not found' },
  });
  expect((await lab.rest('GET', '/v1/recorder')).status).toBe(404);
});

test('fields that came with a later version are absent from an older agent', async () => {
  await using old = await startTestLab({ version: '1.9' });
  const status = (await old.rest('GET', '/v1/healthz')).json;
  expect(status).not.toHaveProperty('attach-mode');
  expect(status).toHaveProperty('host-routing');
  await using young = await startTestLab({ version: '1.20' });
  expect((await young.rest('GET', '/v1/healthz')).json).toMatchObject({ 'attach-mode': 'tcx' });
});

test('a body that the API does not describe is refused', async () => {
  await using lab = await startTestLab();
  expect(await lab.rest('PATCH', '/v1/config')).toMatchObject({ status: 422, json: { code: 602 } });
  expect(await lab.rest('PATCH', '/v1/config', '{')).toMatchObject({ status: 400 });
  expect(await lab.rest('PATCH', '/v1/config', { options: 3 })).toMatchObject({
    status: 422,
    json: { code: 601 },
  });
  expect((await lab.rest('GET', '/v1/bgp/routes')).status).toBe(422);
});

test('endpoints are found by every kind of name, and unknown ones refused as the reference does', async () => {
  await using lab = await startTestLab();
  const { json: endpoint } = await lab.rest('GET', '/v1/endpoint/2622');
  const ids = endpoint.status['external-identifiers'];
  for (const name of [
    'cilium-local:2622',
    'pod-name:default%2Fapi-5c6',
    `container-id:${ids['container-id']}`,
    `cni-attachment-id:${ids['cni-attachment-id']}`,
    'ipv4:10.11.7.179',
    'ipv6:fd00:11::19b5',
  ])
    expect((await lab.rest('GET', `/v1/endpoint/${name}`)).json.id).toBe(2622);
  expect(await lab.rest('GET', '/v1/endpoint/99999')).toMatchObject({
    status: 400,
    json: 'endpoint id too large: 99999',
  });
  expect((await lab.rest('GET', '/v1/endpoint/17')).status).toBe(404);
  const labelled = await lab.rest('GET', '/v1/endpoint', ['k8s:app=web-app']);
  expect(labelled.json.map((e: { id: number }) => e.id)).toEqual([3800]);
  expect((await lab.rest('GET', '/v1/endpoint', ['app=api'])).status).toBe(404);
});
