import { expect, test } from '@jest/globals';
import { rulesOfEntries } from '../../src/policy/read/agent-entries.ts';
import type { SourceDocument } from '../../src/policy/rule.ts';
import { startTestLab, type TestLab } from '../helpers/lab.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';

/** Looks again after each thing that the agent does, until the check holds or the test's time is up. */
async function eventually({ lab }: TestLab, check: () => Promise<void>): Promise<void> {
  for (;;) {
    const event = Promise.withResolvers<void>();
    const stop = lab.agent.watch(() => event.resolve());
    try {
      return await check();
    } catch {
      await event.promise;
    } finally {
      stop();
    }
  }
}

const FRONTEND_TO_KAFKA = [
  {
    endpointSelector: { matchLabels: { app: 'kafka' } },
    ingress: [
      {
        fromEndpoints: [{ matchLabels: { app: 'producer' } }],
        toPorts: [{ ports: [{ port: '9092', protocol: 'TCP' }] }],
      },
    ],
    labels: [{ key: 'name', value: 'kafka-in' }],
  },
];

const putPolicy = (lab: TestLab, rules: unknown, query = '') =>
  lab.rest('PUT', `/v1/policy${query}`, JSON.stringify(JSON.stringify(rules)));

test('imports, reads and deletions of rules answer what a real agent answered', async () => {
  await using lab = await startTestLab({ scenario: 'beginners-guide', version: '1.17' });
  await lab.rest('DELETE', '/v1/policy', []);
  const first = (await lab.rest('GET', '/v1/policy')).json.revision;
  const differences: string[] = [];
  for (const recorded of fixture<RestCase[]>('recordings/agent-1.17-policy.json')) {
    for (const { request, response } of recorded.exchanges) {
      if (!request.path.startsWith('/v1/policy') || request.path.endsWith('/selectors')) continue;
      const answer = await lab.rest(request.method, request.path, request.body, request.headers);
      const name = `${recorded.argv.join(' ')}: ${request.method} ${request.path}`;
      if (answer.status !== response.status) differences.push(`${name}: status ${answer.status}`);
      if (!response.body.startsWith('{')) {
        if (answer.text !== response.body) differences.push(`${name}: ${answer.text}`);
        continue;
      }
      const want = JSON.parse(response.body);
      // The recorded agent began at revision 1, the lab at another.
      if (answer.json.revision - first !== want.revision - 1)
        differences.push(`${name}: revision ${answer.json.revision - first + 1}, not ${want.revision}`);
      const inOrder = (text: string) =>
        JSON.parse(text)
          .map((rule: unknown) => JSON.stringify(rule))
          .toSorted();
      expect(inOrder(answer.json.policy)).toEqual(inOrder(want.policy));
    }
  }
  expect(differences).toEqual([]);
});

test('an import is enforced: endpoints move to its revision, maps and selectors follow', async () => {
  await using lab = await startTestLab();
  const before = (await lab.rest('GET', '/v1/endpoint/1244')).json.status.policy.realized;
  expect(before['policy-enabled']).toBe('none');
  const { json } = await putPolicy(lab, FRONTEND_TO_KAFKA);
  expect(json.revision).toBe(before['policy-revision'] + 1);
  await eventually(lab, async () => {
    const endpoints = (await lab.rest('GET', '/v1/endpoint')).json;
    expect(
      endpoints.map(
        (e: { status: { policy: { realized: Record<string, unknown> } } }) =>
          e.status.policy.realized['policy-revision'],
      ),
    ).toEqual(endpoints.map(() => json.revision));
  });
  const after = (await lab.rest('GET', '/v1/endpoint/1244')).json.status;
  expect(after.policy.realized).toMatchObject({
    'policy-enabled': 'ingress',
    'allowed-ingress-identities': null,
    l4: { ingress: [{ 'derived-from-rules': [[':name=kafka-in']] }] },
  });
  expect(JSON.parse(after.policy.realized.l4.ingress[0].rule)).toMatchObject({ port: 9092, protocol: 'TCP' });
  expect((await lab.rest('GET', '/v1/map/cilium_policy_v3_01244')).json.cache).toEqual([
    { key: 'Egress: 0 ANY', value: '0 0' },
    { key: 'Ingress: 76684 9092/TCP', value: '0 24' },
  ]);
  const selectors = (await lab.rest('GET', '/v1/policy/selectors')).json;
  expect(selectors).toContainEqual({
    selector:
      '&LabelSelector{MatchLabels:map[string]string{any.app: producer,},MatchExpressions:[]LabelSelectorRequirement{},}',
    identities: [76684],
    labels: [{ key: 'name', value: 'kafka-in' }],
    users: 1,
  });
});

test('a rule that an agent would refuse is refused, and changes nothing', async () => {
  await using lab = await startTestLab();
  const before = (await lab.rest('GET', '/v1/policy')).json;
  for (const rules of [
    [{ ingress: [{}] }],
    [{ endpointSelector: {}, ingress: [{ fromCIDR: ['10.0.0.0/33'] }] }],
    {},
  ])
    expect((await putPolicy(lab, rules)).status).toBe(400);
  expect((await lab.rest('PUT', '/v1/policy', '"not json"')).status).toBe(400);
  expect((await lab.rest('GET', '/v1/policy')).json).toEqual(before);
});

test('a prefix in a rule gets an identity, which the address book and GET /identity show', async () => {
  await using lab = await startTestLab();
  const rules = [{ endpointSelector: {}, egress: [{ toCIDR: ['10.99.0.0/16'] }] }];
  await putPolicy(lab, rules);
  const [entry] = (await lab.rest('GET', '/v1/ip?cidr=10.99.0.0/16')).json;
  expect(entry.identity).toBeGreaterThan(16_777_216);
  expect((await lab.rest('GET', `/v1/identity/${entry.identity}`)).json.labels).toEqual([
    'cidr:10.99.0.0/16',
    'reserved:world-ipv4',
  ]);
  expect((await lab.rest('GET', '/v1/endpoint/557')).json.status.policy.spec).toMatchObject({
    'allowed-egress-identities': [entry.identity],
  });
});

test('settings change, and enforcement for everybody shows at every endpoint', async () => {
  await using lab = await startTestLab();
  const options = { Debug: 'true', monitoraggregationlevel: '3' };
  expect((await lab.rest('PATCH', '/v1/config', { options, 'policy-enforcement': 'always' })).status).toBe(
    200,
  );
  const { json } = await lab.rest('GET', '/v1/config');
  expect(json.spec).toMatchObject({
    options: { Debug: 'Enabled', MonitorAggregationLevel: 'Medium' },
    'policy-enforcement': 'always',
  });
  await eventually(lab, async () => {
    const { status } = (await lab.rest('GET', '/v1/endpoint/557')).json;
    expect(status.policy.realized['policy-enabled']).toBe('both');
  });
  expect((await lab.rest('PATCH', '/v1/config', { options: { Nonsense: '1' } })).status).toBe(400);
  expect((await lab.rest('PATCH', '/v1/config', { 'policy-enforcement': 'maybe' })).status).toBe(422);
});

test('the options of an endpoint change', async () => {
  await using lab = await startTestLab();
  const path = '/v1/endpoint/2622/config';
  expect((await lab.rest('PATCH', path, { options: { PolicyAuditMode: '1' } })).status).toBe(200);
  expect((await lab.rest('GET', path)).json.realized.options.PolicyAuditMode).toBe('Enabled');
  const { status } = (await lab.rest('GET', '/v1/endpoint/2622')).json;
  expect(status.policy.realized['policy-enabled']).toBe('audit-ingress');
});

test('a label that a user adds is a new identity, and taking it away the old one again', async () => {
  await using lab = await startTestLab();
  const path = '/v1/endpoint/2622/labels';
  expect((await lab.rest('PATCH', path, { user: ['k8s:tier=front'] })).status).toBe(200);
  expect((await lab.rest('GET', path)).json).toMatchObject({
    spec: { user: ['k8s:tier=front'] },
    status: { realized: { user: ['k8s:tier=front'] } },
  });
  const { identity } = (await lab.rest('GET', '/v1/endpoint/2622')).json.status;
  expect(identity.id).not.toBe(75536);
  expect(identity.labels).toContain('k8s:tier=front');
  const [entry] = (await lab.rest('GET', '/v1/ip?cidr=10.11.7.179/32')).json;
  expect(entry.identity).toBe(identity.id);
  expect((await lab.rest('GET', '/v1/identity')).json).toContainEqual(identity);
  await lab.rest('PATCH', path, {});
  expect((await lab.rest('GET', '/v1/endpoint/2622')).json.status.identity.id).toBe(75536);
});

test('an endpoint that is disconnected is gone everywhere', async () => {
  await using lab = await startTestLab();
  expect((await lab.rest('DELETE', '/v1/endpoint/557')).status).toBe(200);
  expect((await lab.rest('GET', '/v1/endpoint/557')).status).toBe(404);
  expect((await lab.rest('DELETE', '/v1/endpoint/557')).status).toBe(404);
  expect((await lab.rest('GET', '/v1/ip?cidr=10.11.1.82/32')).status).toBe(404);
  const maps = (await lab.rest('GET', '/v1/map')).json.maps.map((map: { path: string }) => map.path);
  expect(maps).not.toContain('/sys/fs/bpf/tc/globals/cilium_policy_v3_00557');
});

test('an endpoint that is made has an address, an identity and a policy', async () => {
  await using lab = await startTestLab();
  const request = {
    state: 'waiting-for-identity',
    'k8s-namespace': 'default',
    'k8s-pod-name': 'new',
    labels: ['k8s:app=api'],
    'container-id': 'abc',
  };
  const { status, json } = await lab.rest('PUT', '/v1/endpoint/0', request);
  expect(status).toBe(201);
  // Labels decide: it is what the other API pod is.
  expect(json.status).toMatchObject({
    identity: { id: 75536 },
    policy: { spec: { 'policy-enabled': 'ingress' } },
  });
  expect((await lab.rest('GET', '/v1/endpoint/pod-name:default%2Fnew')).json.id).toBe(json.id);
  expect((await lab.rest('PUT', '/v1/endpoint/0', request)).status).toBe(409);
  expect((await lab.rest('DELETE', '/v1/endpoint', { 'container-id': 'abc' })).status).toBe(200);
});

test('services come, change and go', async () => {
  await using lab = await startTestLab();
  const spec = {
    'frontend-address': { ip: '10.96.7.7', port: 80, protocol: 'tcp' },
    'backend-addresses': [{ ip: '10.11.7.179', port: 8080 }],
  };
  expect((await lab.rest('PUT', '/v1/service/77', spec)).status).toBe(201);
  expect((await lab.rest('PUT', '/v1/service/77', spec)).status).toBe(200);
  expect((await lab.rest('PUT', '/v1/service/78', spec)).status).toBe(460);
  expect((await lab.rest('GET', '/v1/service/77')).json.spec).toMatchObject({
    id: 77,
    'frontend-address': { ip: '10.96.7.7' },
  });
  expect((await lab.rest('GET', '/v1/map/cilium_lb4_services_v2')).text).toContain('10.96.7.7:80/TCP (1)');
  expect((await lab.rest('DELETE', '/v1/service/77')).status).toBe(200);
  expect((await lab.rest('DELETE', '/v1/service/77')).status).toBe(404);
});

test('the prefilter takes and drops prefixes, and an outdated revision is refused', async () => {
  await using lab = await startTestLab();
  const { revision } = (await lab.rest('GET', '/v1/prefilter')).json.spec;
  const added = await lab.rest('PATCH', '/v1/prefilter', { deny: ['203.0.113.0/24'], revision });
  expect(added.json.spec).toEqual({ deny: ['203.0.113.0/24'], revision: revision + 1 });
  expect((await lab.rest('PATCH', '/v1/prefilter', { deny: ['1.2.3.0/24'], revision })).status).toBe(461);
  expect((await lab.rest('PATCH', '/v1/prefilter', { deny: ['nonsense'] })).status).toBe(461);
  expect((await lab.rest('DELETE', '/v1/prefilter', { deny: ['203.0.113.0/24'] })).json.spec.deny).toEqual(
    [],
  );
});

test('the DNS cache is searched and emptied by pattern', async () => {
  await using lab = await startTestLab();
  const names = async (query = '') =>
    (await lab.rest('GET', `/v1/fqdn/cache${query}`)).json.map((l: { fqdn: string }) => l.fqdn);
  expect(await names()).toHaveLength(2);
  expect(await names('?matchpattern=www.*.com')).toEqual(['www.example.com.']);
  expect(await names('?cidr=10.0.0.0/8')).toEqual([]);
  expect((await lab.rest('GET', '/v1/fqdn/cache?cidr=x')).status).toBe(400);
  expect((await lab.rest('DELETE', '/v1/fqdn/cache?matchpattern=www.example.com')).status).toBe(200);
  expect(await names()).toEqual(['api.example.com.']);
});

test('addresses are handed out once', async () => {
  await using lab = await startTestLab();
  const { status, json } = await lab.rest('POST', '/v1/ipam?family=ipv4&owner=me');
  expect(status).toBe(201);
  const { ipv4 } = json.address;
  expect((await lab.rest('POST', `/v1/ipam/${ipv4}`)).status).toBe(409);
  expect((await lab.rest('GET', '/v1/healthz')).json.ipam.allocations[ipv4]).toBe('me');
  expect((await lab.rest('DELETE', `/v1/ipam/${ipv4}`)).status).toBe(200);
  expect((await lab.rest('POST', `/v1/ipam/${ipv4}`)).status).toBe(200);
});

test('recorders come and go', async () => {
  await using lab = await startTestLab();
  const spec = { id: 3, 'capture-length': 64, filters: [{ 'dst-prefix': '10.0.0.0/24', protocol: 'TCP' }] };
  expect((await lab.rest('PUT', '/v1/recorder/3', spec)).status).toBe(201);
  expect((await lab.rest('GET', '/v1/recorder/masks')).json[0].status.realized['dst-prefix-mask']).toBe(
    'ffffff00',
  );
  expect((await lab.rest('DELETE', '/v1/recorder/3')).status).toBe(200);
  expect((await lab.rest('GET', '/v1/recorder')).json).toEqual([]);
});

test('map events follow a change of the address book', async () => {
  await using lab = await startTestLab();
  const { request } = await import('node:http');
  const text = await new Promise<string>((resolve, reject) => {
    const path = '/v1/map/cilium_ipcache_v2/events?follow=true';
    const sent = request({ socketPath: lab.lab.info.sockets.agent, path }, (response) => {
      let seen = '';
      response.on('data', (part: Buffer) => {
        seen += part.toString();
        if (seen.includes('"action":"delete"')) {
          resolve(seen);
          response.destroy();
        }
      });
      void lab.rest('DELETE', '/v1/endpoint/557');
    });
    sent.on('error', reject);
    sent.end();
  });
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events[0]).toMatchObject({ action: 'update', 'desired-action': 'sync' });
  expect(events.filter((e) => e.action === 'delete').map((e) => e.key)).toEqual([
    '10.11.1.82/32',
    'fd00:11::49de/128',
  ]);
});

test('an agent 1.20 tells its rules as entries, and these mean the same', async () => {
  await using old = await startTestLab({ scenario: 'shop', version: '1.17' });
  await using young = await startTestLab({ scenario: 'shop', version: '1.20' });
  const entries = JSON.parse((await young.rest('GET', '/v1/policy')).json.policy);
  expect(entries).toHaveLength(8);
  expect(entries[0]).toMatchObject({
    Subject: { matchLabels: { 'any.app': 'frontend' } },
    L3: [],
    L4: [{ ports: [{ port: '8080', protocol: 'TCP' }] }],
    Verdict: 0,
    Ingress: true,
    DefaultDeny: true,
  });
  expect(entries.map((entry: { L3: unknown }) => entry.L3)).toContainEqual([
    'MatchName: api.bank.example, MatchPattern: ',
  ]);
  const source: SourceDocument = { file: '-', locate: () => ({ file: '-', line: 1, column: 1 }) };
  const rules = rulesOfEntries(entries, source).map(({ rule }) => rule);
  // The maps of 1.20 have entries that those of 1.17 have not, so an agent of 1.17 is asked for both.
  const ids = (await old.rest('GET', '/v1/endpoint')).json.map(({ id }: { id: number }) => id);
  const keysOf = async (id: number): Promise<string[]> => {
    const maps: { path: string }[] = (await old.rest('GET', '/v1/map')).json.maps;
    const path = maps.map((map) => map.path).find((each) => each.endsWith(`_${String(id).padStart(5, '0')}`));
    const { cache } = (await old.rest('GET', `/v1/map/${path?.split('/').at(-1)}`)).json;
    return cache.map((entry: { key: string }) => entry.key).toSorted();
  };
  const before = await Promise.all(ids.map(keysOf));
  expect(before.flat().length).toBeGreaterThan(ids.length);
  await old.rest('DELETE', '/v1/policy', []);
  await putPolicy(old, rules);
  await eventually(old, async () => {
    expect(await Promise.all(ids.map(keysOf))).toEqual(before);
  });
});
