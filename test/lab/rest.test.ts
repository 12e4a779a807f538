import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { call, startTestLab, type TestLab } from '../helpers/lab.ts';

const RULE = (name: string, app = 'kafka') => ({
  endpointSelector: { matchLabels: { app } },
  ingress: [{ fromEndpoints: [{ matchLabels: { app: 'producer' } }] }],
  labels: [{ key: 'name', value: name, source: 'unspec' }],
});

const importRules = (lab: TestLab, rules: unknown, query = '') =>
  lab.rest('PUT', `/v1/policy${query}`, JSON.stringify(JSON.stringify(rules)));

/** Values of the label `name` of the rules in force. */
async function ruleNames(lab: TestLab): Promise<string[]> {
  const rules = JSON.parse((await lab.rest('GET', '/v1/policy')).json.policy);
  return rules.map((rule: { labels?: { value: string }[] }) => rule.labels?.[0]?.value ?? '');
}

describe('the cluster', () => {
  test('a client that comes back is told of no node again', async () => {
    await using lab = await startTestLab();
    const nodes = (headers?: Record<string, string>) =>
      lab.rest('GET', '/v1/cluster/nodes', undefined, headers);
    const first = (await nodes({ 'client-id': '7' })).json;
    expect(first).toMatchObject({ 'client-id': 7, self: 'lab/node1' });
    expect(first['nodes-added']).toHaveLength(2);
    expect((await nodes({ 'client-id': '7' })).json).toEqual({
      'client-id': 7,
      'nodes-added': null,
      'nodes-removed': null,
      self: 'lab/node1',
    });
    expect((await nodes({ 'client-id': '8' })).json['nodes-added']).toHaveLength(2);
    for (const _ of [1, 2]) {
      const { json } = await nodes();
      expect(json['nodes-added']).toHaveLength(2);
      expect(json).not.toHaveProperty('client-id');
    }
  });

  test('a node has its addresses, ranges and where it is known from', async () => {
    await using lab = await startTestLab();
    const { json } = await lab.rest('GET', '/v1/cluster/nodes');
    const { router } = lab.lab.agent.world.self;
    expect(json['nodes-added'][0]).toMatchObject({
      name: 'lab/node1',
      'primary-address': {
        ipv4: { enabled: true, ip: '192.168.50.11', 'alloc-range': '10.11.0.0/16' },
        ipv6: { enabled: true, ip: 'fd00:11::5890', 'alloc-range': 'fd00:11::/96' },
      },
      'secondary-addresses': [{ ip: router.ipv4 }, { ip: router.ipv6 }],
      source: 'local',
    });
    expect(json['nodes-added'][1]).toMatchObject({ name: 'lab/node2', source: 'custom-resource' });
    await using single = await startTestLab({ scenario: 'incident' });
    const [node] = (await single.rest('GET', '/v1/cluster/nodes')).json['nodes-added'];
    expect(node['primary-address'].ipv6).toEqual({ enabled: false });
    expect(node['secondary-addresses']).toHaveLength(1);
  });

  test('only pods have control groups', async () => {
    await using lab = await startTestLab();
    const { json } = await lab.rest('GET', '/v1/cgroup-dump-metadata');
    const pods = json['pod-metadatas'];
    expect(pods).toHaveLength(8);
    const pod = pods.find((one: { name: string }) => one.name === 'api-5c6');
    expect(pod).toMatchObject({ namespace: 'default', ips: ['10.11.7.179', 'fd00:11::19b5'] });
    const { json: endpoint } = await lab.rest('GET', '/v1/endpoint/2622');
    const id = endpoint.status['external-identifiers']['container-id'];
    expect(pod.containers[0]['cgroup-path']).toBe(`/kubepods/burstable/pod${id.slice(0, 12)}/${id}`);
  });
});

describe('settings and what is told of the agent', () => {
  test('the pages of the monitor change alone, and enforcement stays as it was', async () => {
    await using lab = await startTestLab();
    await lab.rest('PATCH', '/v1/config', { 'policy-enforcement': 'always' });
    await lab.rest('PATCH', '/v1/config', { options: { MonitorNumPages: '128' } });
    const { json } = await lab.rest('GET', '/v1/config');
    expect(json.status.nodeMonitor.npages).toBe(128);
    expect(json.spec['policy-enforcement']).toBe('always');
    expect(json.spec.options).not.toHaveProperty('MonitorNumPages');
    await lab.rest('PATCH', '/v1/config', { options: { Debug: 'Enabled' } });
    expect((await lab.rest('GET', '/v1/config')).json.status.nodeMonitor.npages).toBe(128);
  });

  test('the debug information follows the settings', async () => {
    await using lab = await startTestLab({ version: '1.17' });
    const environment = async () =>
      (await lab.rest('GET', '/v1/debuginfo')).json['environment-variables'] as string[];
    expect(await environment()).toEqual([
      'cluster-name:lab',
      'cluster-id:1',
      'debug:false',
      'enable-ipv6:true',
      'enable-policy:default',
    ]);
    await lab.rest('PATCH', '/v1/config', { options: { Debug: 'true' }, 'policy-enforcement': 'never' });
    expect(await environment()).toEqual(expect.arrayContaining(['debug:true', 'enable-policy:never']));
  });

  test('metrics count what the lab holds', async () => {
    await using lab = await startTestLab({ scenario: 'incident' });
    const all: { name: string; value: number; labels?: Record<string, string> }[] = (
      await lab.rest('GET', '/v1/metrics/')
    ).json;
    const value = (name: string, label?: string) =>
      all.find((one) => one.name === name && (!label || Object.values(one.labels ?? {}).includes(label)))
        ?.value;
    const { endpoints, services, policy } = lab.lab.agent.state;
    expect(value('cilium_endpoint_count')).toBe(endpoints.length);
    expect(value('cilium_endpoint_state', 'ready')).toBe(endpoints.length - 1);
    expect(value('cilium_endpoint_state', 'not-ready')).toBe(1);
    expect(value('cilium_nodes_all_num')).toBe(3);
    expect(value('cilium_policy_count')).toBe(3);
    expect(value('cilium_policy_max_revision')).toBe(policy.revision);
    expect(value('cilium_services_events_total')).toBe(services.length);
  });

  test('an endpoint that is not ready is degraded in the table of health', async () => {
    await using lab = await startTestLab({ scenario: 'incident', version: '1.20' });
    const answer = await lab.rest('POST', '/statedb/query', { table: 'health' });
    const rows = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).obj);
    const of = (pod: string) =>
      rows.find(({ ID }: { ID: { Module: string[] } }) => ID.Module.join('.').includes(pod));
    expect(of('orders/api-1')).toMatchObject({
      Level: 'Degraded',
      Message: 'Error while rewriting endpoint BPF program: policy map is full',
      Error: 'Error while rewriting endpoint BPF program: policy map is full',
      LastOK: '0001-01-01T00:00:00Z',
    });
    expect(of('orders/api-0')).toMatchObject({ Level: 'OK', Error: '' });
    expect(rows.filter(({ Level }: { Level: string }) => Level === 'Degraded')).toHaveLength(1);
    expect((await lab.rest('POST', '/statedb/query', { table: 'routes' })).status).toBe(404);
    await using old = await startTestLab({ version: '1.9' });
    expect((await old.rest('POST', '/statedb/query', { table: 'health' })).status).toBe(404);
  });

  test.each([
    ['1.9', ['hostReachableServices'], ['socketLB', 'nat46X64', 'gracefulTermination']],
    ['1.12', ['hostReachableServices', 'socketLB', 'nat46X64', 'gracefulTermination'], ['socketLBTracing']],
    ['1.14', ['socketLBTracing', 'gracefulTermination'], ['hostReachableServices', 'annotations']],
  ] as const)(
    'the kube-proxy replacement of %s has the features of its release',
    async (version, has, hasNot) => {
      await using lab = await startTestLab({ version });
      const { json } = await lab.rest('GET', '/v1/healthz');
      const { features } = json['kube-proxy-replacement'];
      expect(Object.keys(features)).toEqual(expect.arrayContaining([...has]));
      for (const name of hasNot) expect(features).not.toHaveProperty(name);
      // The command line of 1.13 and 1.14 ends with a crash without them.
      if (version === '1.14') expect(features.nat46X64).toEqual({ gateway: {}, service: {} });
    },
  );

  test('a query that the API does not describe is refused', async () => {
    await using lab = await startTestLab();
    const routes = (afi: string) => lab.rest('GET', `/v1/bgp/routes?table_type=${afi}&afi=ipv4&safi=unicast`);
    expect(await routes('nonsense')).toMatchObject({ status: 422, json: { code: 606 } });
    expect((await routes('loc-rib')).status).not.toBe(422);
    expect(await lab.rest('GET', '/v1/bgp/routes?afi=ipv4&safi=unicast')).toMatchObject({
      status: 422,
      json: { code: 602, message: 'table_type in query is required' },
    });
  });
});

describe('endpoints', () => {
  test('a change of an endpoint sets what it names and keeps the rest', async () => {
    await using lab = await startTestLab();
    const held = () => lab.lab.agent.endpoint(2622);
    const before = held();
    const change = (body: object) => lab.rest('PATCH', '/v1/endpoint/2622', body);
    expect((await change({ state: 'waiting-for-identity', mac: '02:00:00:00:00:01' })).status).toBe(200);
    expect(held()).toEqual({ ...before, mac: '02:00:00:00:00:01' });
    await change({
      state: 'disconnected',
      'host-mac': '02:00:00:00:00:02',
      addressing: { ipv4: '10.11.9.9' },
    });
    expect(held()).toEqual({
      ...before,
      state: 'disconnected',
      mac: '02:00:00:00:00:01',
      hostMac: '02:00:00:00:00:02',
      ipv4: '10.11.9.9',
    });
    expect((await lab.rest('GET', '/v1/endpoint/ipv4:10.11.9.9')).json.status.networking).toMatchObject({
      mac: '02:00:00:00:00:01',
      'host-mac': '02:00:00:00:00:02',
    });
    expect((await lab.rest('PATCH', '/v1/endpoint/17', { state: 'ready' })).status).toBe(404);
  });

  test('the host cannot be deleted, the health endpoint can, a container must be named', async () => {
    await using lab = await startTestLab();
    const { endpoints } = lab.lab.agent.state;
    const idOf = (kind: string) => endpoints.find((endpoint) => endpoint.kind === kind)?.id;
    expect(await lab.rest('DELETE', `/v1/endpoint/${idOf('host')}`)).toMatchObject({
      status: 400,
      json: 'the host endpoint cannot be deleted',
    });
    expect((await lab.rest('DELETE', `/v1/endpoint/${idOf('health')}`)).status).toBe(200);
    expect((await lab.rest('DELETE', '/v1/endpoint', { 'container-id': 'none' })).status).toBe(404);
    expect((await lab.rest('DELETE', '/v1/endpoint', {})).status).toBe(400);
    expect(await lab.rest('PATCH', `/v1/endpoint/${idOf('host')}/labels`, { user: ['a:b'] })).toMatchObject({
      status: 500,
      json: 'labels of reserved endpoints cannot be changed',
    });
  });

  test('an unknown prefix of a name is refused', async () => {
    await using lab = await startTestLab();
    expect(await lab.rest('GET', '/v1/endpoint/host:1')).toMatchObject({
      status: 400,
      json: 'unknown endpoint prefix "host"',
    });
    expect(await lab.rest('GET', '/v1/endpoint/x1')).toMatchObject({
      status: 400,
      json: 'invalid numeric endpoint id: x1',
    });
    expect((await lab.rest('GET', '/v1/endpoint/0xa3e')).json.id).toBe(2622);
    expect((await lab.rest('GET', '/v1/endpoint/65535')).status).toBe(404);
    expect((await lab.rest('GET', '/v1/endpoint/65536')).status).toBe(400);
  });
});

describe('identities and addresses', () => {
  test('an identity is counted for each endpoint that has it', async () => {
    await using lab = await startTestLab();
    const counts = async () =>
      new Map(
        (await lab.rest('GET', '/v1/identity/endpoints')).json.map(
          (entry: { identity: { id: number }; refCount: number }) => [entry.identity.id, entry.refCount],
        ),
      );
    expect((await counts()).get(75536)).toBe(1);
    await lab.rest('PUT', '/v1/endpoint/0', {
      state: 'waiting-for-identity',
      'k8s-namespace': 'default',
      'k8s-pod-name': 'second',
      labels: ['k8s:app=api'],
    });
    expect((await counts()).get(75536)).toBe(2);
    expect((await counts()).get(99087)).toBe(1);
  });

  test('labels name an identity whole, an address by all of them', async () => {
    await using lab = await startTestLab();
    const { labels } = (await lab.rest('GET', '/v1/identity/75536')).json;
    expect((await lab.rest('GET', '/v1/identity', labels.toReversed())).json).toEqual([
      { id: 75536, labels },
    ]);
    expect((await lab.rest('GET', '/v1/identity', [labels[0]])).status).toBe(404);
    expect((await lab.rest('GET', '/v1/identity/12345')).status).toBe(404);
    expect((await lab.rest('GET', '/v1/identity/x')).status).toBe(400);
    const addresses = async (wanted: string[]) => (await lab.rest('GET', '/v1/ip', wanted)).json;
    expect((await addresses(labels)).map((entry: { cidr: string }) => entry.cidr).toSorted()).toEqual([
      '10.11.7.179/32',
      'fd00:11::19b5/128',
    ]);
    expect((await lab.rest('GET', '/v1/ip', ['k8s:app=api', 'k8s:app=kafka'])).status).toBe(404);
  });

  test('a prefix finds the addresses in it', async () => {
    await using lab = await startTestLab();
    const found = async (cidr: string) =>
      ((await lab.rest('GET', `/v1/ip?cidr=${cidr}`)).json ?? []).map(
        (entry: { cidr: string }) => entry.cidr,
      );
    expect(await found('10.11.7.0/24')).toEqual(['10.11.7.179/32']);
    expect(await found('fd00:11::1900/120')).toEqual(['fd00:11::19b5/128']);
    expect(await lab.rest('GET', '/v1/ip?cidr=10.11.7.0/33')).toMatchObject({
      status: 400,
      json: 'invalid CIDR address: 10.11.7.0/33',
    });
  });

  test('addresses come from the families that are asked for, and those of endpoints stay', async () => {
    await using lab = await startTestLab();
    const take = async (query = '') => (await lab.rest('POST', `/v1/ipam${query}`)).json;
    expect(Object.keys((await take('?family=ipv6')).address)).toEqual(['ipv6']);
    const both = await take('?owner=me');
    expect(both).toMatchObject({
      ipv4: { ip: both.address.ipv4, cidrs: ['10.11.0.0/16'] },
      ipv6: { ip: both.address.ipv6, cidrs: ['fd00:11::/96'] },
    });
    expect(both.ipv4.gateway).toBe(lab.lab.agent.world.self.router.ipv4);
    expect(both.ipv6.gateway).toBe(lab.lab.agent.world.self.router.ipv6);
    expect(await lab.rest('DELETE', '/v1/ipam/10.11.7.179')).toMatchObject({
      status: 500,
      json: 'IP 10.11.7.179 is in use by an endpoint',
    });
    expect((await lab.rest('DELETE', '/v1/ipam/10.11.250.250')).status).toBe(404);
    for (const method of ['POST', 'DELETE'])
      expect((await lab.rest(method, '/v1/ipam/10.11.7')).status).toBe(400);
    expect((await lab.rest('POST', '/v1/ipam/10.11.7.179')).status).toBe(409);
  });

  test('names are found by where they come from and who looked them up', async () => {
    await using lab = await startTestLab();
    const count = async (path: string) => (await lab.rest('GET', path)).json.length;
    expect(await count('/v1/fqdn/cache?source=lookup')).toBe(2);
    expect(await count('/v1/fqdn/cache?source=connection')).toBe(0);
    expect(await count('/v1/fqdn/cache/3800')).toBe(2);
    expect(await count('/v1/fqdn/cache/2622')).toBe(0);
    expect(await count('/v1/fqdn/cache?cidr=192.168.50.12')).toBe(2);
    expect(await count('/v1/fqdn/cache?cidr=192.168.50.0/24&matchpattern=api.example.com')).toBe(1);
    expect((await lab.rest('GET', '/v1/fqdn/cache?matchpattern=a[b')).status).toBe(400);
    expect((await lab.rest('GET', '/v1/fqdn/names')).json.FQDNPolicySelectors).toEqual([
      { regexString: expect.any(String), selectorString: 'MatchName: , MatchPattern: *.example.com' },
    ]);
  });
});

describe('policy', () => {
  test('an import replaces the rules that hold the labels of a new one, or those that are named', async () => {
    await using lab = await startTestLab();
    await lab.rest('DELETE', '/v1/policy', []);
    await importRules(lab, [RULE('a'), RULE('b'), { ...RULE('c'), labels: [] }]);
    const revision = (await lab.rest('GET', '/v1/policy')).json.revision;
    const replaced = await importRules(lab, [RULE('a', 'web')], '?replace=true');
    expect(await ruleNames(lab)).toEqual(['b', '', 'a']);
    // The removal and the import are a revision each.
    expect(replaced.json.revision).toBe(revision + 2);
    await importRules(lab, [{ ...RULE('d'), labels: [] }], '?replace=true');
    expect(await ruleNames(lab)).toEqual(['b', '', 'a', '']);
    await importRules(lab, [RULE('e')], '?replace-with-labels=name=b');
    expect(await ruleNames(lab)).toEqual(['', 'a', '', 'e']);
  });

  test.each([
    ['1.9', 404],
    ['1.17', 500],
  ] as const)('an agent %s answers %s when no rule has the labels', async (version, status) => {
    await using lab = await startTestLab({ version });
    const before = (await lab.rest('GET', '/v1/policy')).json;
    expect((await lab.rest('DELETE', '/v1/policy', ['name=none'])).status).toBe(status);
    expect((await lab.rest('GET', '/v1/policy')).json).toEqual(before);
    expect((await lab.rest('GET', '/v1/policy', ['name=none'])).status).toBe(404);
    expect((await lab.rest('DELETE', '/v1/policy', ['unspec:name=api-policy'])).status).toBe(200);
    expect(await ruleNames(lab)).toEqual(['web-egress']);
  });

  test('a trace is allowed when each of its ports is', async () => {
    await using lab = await startTestLab({ version: '1.9' });
    const trace = async (from: string, to: string, ...ports: number[]) => {
      const dports = ports.map((port) => ({ port, protocol: 'TCP' }));
      const body = { from: { labels: [from] }, to: { labels: [to], dports } };
      return (await lab.rest('GET', '/v1/policy/resolve', body)).json;
    };
    expect((await trace('app=frontend', 'app=api', 8080)).verdict).toBe('allowed');
    expect((await trace('app=frontend', 'app=api', 9090)).verdict).toBe('denied');
    const both = await trace('app=frontend', 'app=api', 8080, 9090);
    expect(both.verdict).toBe('denied');
    expect(both.log.split('\n')).toEqual([
      expect.stringMatching(/on port 8080\/TCP: egress allowed, ingress allowed$/),
      expect.stringMatching(/on port 9090\/TCP: egress allowed, ingress denied$/),
      '',
    ]);
    expect((await trace('k8s:app=producer', 'k8s:app=api', 8080)).verdict).toBe('denied');
  });
});

describe('services, prefilter and recorders', () => {
  test('a service must have addresses, and its scope is a part of its name', async () => {
    await using lab = await startTestLab();
    const put = (id: number, frontend: object, ...ips: string[]) =>
      lab.rest('PUT', `/v1/service/${id}`, {
        'frontend-address': { port: 80, protocol: 'tcp', ...frontend },
        'backend-addresses': ips.map((ip) => ({ ip, port: 8080 })),
      });
    expect(await put(70, { ip: 'web' })).toMatchObject({
      status: 460,
      json: 'invalid IP address "web" of the frontend',
    });
    expect(await put(70, { ip: '10.96.7.7' }, '10.11.7')).toMatchObject({
      status: 461,
      json: 'invalid IP address "10.11.7" of a backend',
    });
    expect((await lab.rest('GET', '/v1/service/70')).status).toBe(404);
    expect((await put(70, { ip: '10.96.7.7' }, '10.11.7.179')).status).toBe(201);
    expect((await put(71, { ip: '10.96.7.7', scope: 'internal' })).status).toBe(201);
    expect((await put(72, { ip: '10.96.7.7', protocol: 'udp' })).status).toBe(201);
    expect(await put(73, { ip: '10.96.7.7' })).toMatchObject({
      status: 460,
      json: 'service ID 73: frontend 10.96.7.7:80/TCP has ID 70',
    });
    expect((await lab.rest('GET', '/v1/service/70')).json.spec['backend-addresses']).toEqual([
      { ip: '10.11.7.179', port: 8080, state: 'active', preferred: true, weight: 100, protocol: 'TCP' },
    ]);
    expect((await lab.rest('GET', '/v1/service/x')).status).toBe(422);
  });

  test('the prefilter refuses any revision but its own, and a prefix that it does not have', async () => {
    await using lab = await startTestLab();
    const patch = (deny: string[], revision = 0) => lab.rest('PATCH', '/v1/prefilter', { deny, revision });
    const start = (await lab.rest('GET', '/v1/prefilter')).json.spec.revision;
    expect((await patch(['192.0.2.0/24'], start)).status).toBe(200);
    for (const revision of [start, start + 2])
      expect(await patch(['198.51.100.0/24'], revision)).toMatchObject({
        status: 461,
        json: `Latest revision is ${start + 1} not ${revision}`,
      });
    expect((await patch(['192.0.2.0/24', '198.51.100.0/24'])).json.spec.deny).toEqual([
      '192.0.2.0/24',
      '198.51.100.0/24',
    ]);
    expect(await lab.rest('DELETE', '/v1/prefilter', { deny: ['203.0.113.0/24'] })).toMatchObject({
      status: 461,
      json: 'No map entry for 203.0.113.0/24',
    });
  });

  test('masks are counted over the filters of all recorders', async () => {
    await using lab = await startTestLab();
    const put = (id: number, filters: object[]) => lab.rest('PUT', `/v1/recorder/${id}`, { id, filters });
    const tcp = { 'src-prefix': '10.0.0.0/8', 'dst-prefix': '0.0.0.0/0', 'dst-port': '80', protocol: 'TCP' };
    expect((await put(1, [tcp, { ...tcp, 'dst-port': '443' }])).status).toBe(201);
    expect((await put(2, [{ ...tcp, 'src-port': '0', protocol: 'ANY' }])).status).toBe(201);
    expect((await put(2, [{ ...tcp, 'src-port': '0', protocol: 'ANY' }])).status).toBe(200);
    const { json } = await lab.rest('GET', '/v1/recorder/masks');
    const shared = {
      'src-prefix-mask': 'ff000000',
      'dst-prefix-mask': '0',
      'src-port-mask': '0',
      'dst-port-mask': 'ffff',
    };
    expect(json.map((mask: { status: { realized: object } }) => mask.status.realized)).toEqual([
      { ...shared, users: 2, priority: 0, 'protocol-mask': 'ff' },
      { ...shared, users: 1, priority: 1, 'protocol-mask': '0' },
    ]);
    expect((await lab.rest('GET', '/v1/recorder/3')).status).toBe(404);
    expect((await lab.rest('DELETE', '/v1/recorder/3')).status).toBe(404);
    expect((await lab.rest('GET', '/v1/recorder/x')).status).toBe(422);
  });
});

describe('the health API', () => {
  test('a node that does not answer is timed out, whatever is asked of it', async () => {
    await using lab = await startTestLab({ scenario: 'incident' });
    const { health } = lab.lab.info.sockets;
    const { json, status } = await call(health, 'GET', '/v1beta/status');
    expect(status).toBe(200);
    expect(json.nodes.map(({ name }: { name: string }) => name)).toEqual([
      'prod/worker-1',
      'prod/worker-2',
      'prod/worker-3',
    ]);
    const [first, , third] = json.nodes;
    for (const probe of ['icmp', 'http']) {
      expect(first.host['primary-address'][probe]).toMatchObject({ latency: expect.any(Number) });
      expect(first.host['primary-address'][probe]).not.toHaveProperty('status');
    }
    expect(third.host['primary-address']).toMatchObject({
      ip: '10.0.0.13',
      icmp: { status: 'Connection timed out' },
      http: { status: expect.stringContaining('Get "http://10.0.0.13:4240/hello"') },
    });
    expect(third.endpoint).toEqual(third['health-endpoint']['primary-address']);
    expect((await call(health, 'PUT', '/v1beta/status/probe')).status).toBe(200);
    expect(await call(health, 'GET', '/v1beta/nothing')).toMatchObject({
      status: 404,
      json: { code: 404, message: 'path /v1beta/nothing was not found' },
    });
  });
});

describe('maps', () => {
  test('what a map holds is listed as updates, and only of the map whose changes are recorded', async () => {
    await using lab = await startTestLab();
    const answer = await lab.rest('GET', '/v1/map/cilium_ipcache_v2/events');
    const events = answer.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { cache } = (await lab.rest('GET', '/v1/map/cilium_ipcache_v2')).json;
    expect(events.map(({ key, value }) => ({ key, value }))).toEqual(
      cache.map(({ key, value }: { key: string; value: string }) => ({ key, value })),
    );
    expect(new Set(events.map(({ action }) => action))).toEqual(new Set(['update']));
    expect(new Set(events.map((event) => event['desired-action']))).toEqual(new Set(['sync']));
    expect((await lab.rest('GET', '/v1/map/cilium_lxc/events')).status).toBe(404);
    expect((await lab.rest('GET', '/v1/map/none')).status).toBe(404);
  });
});

describe('BGP', () => {
  const pathsOf = (safi: string) => [{ family: { afi: 'ipv4', safi } }];
  const SCENARIO = {
    name: 'bgp',
    bgp: {
      peers: [{ 'local-asn': 64512, 'peer-address': '192.0.2.1' }],
      routes: [
        { 'router-asn': 64512, prefix: '10.0.0.0/24', neighbor: '192.0.2.1', paths: pathsOf('unicast') },
        { 'router-asn': 64512, prefix: '10.0.1.0/24', neighbor: '192.0.2.2', paths: pathsOf('unicast') },
        { 'router-asn': 64513, prefix: '10.0.2.0/24', paths: pathsOf('unicast') },
        { 'router-asn': 64512, prefix: '10.0.3.0/24', paths: pathsOf('multicast') },
      ],
      routePolicies: [
        { 'router-asn': 64512, name: 'a' },
        { 'router-asn': 64513, name: 'b' },
      ],
    },
  };

  test('routes are those of the router, the neighbour and the family that are asked for', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bgp-'));
    try {
      const scenario = join(folder, 'bgp.yaml');
      writeFileSync(scenario, JSON.stringify(SCENARIO));
      await using lab = await startTestLab({ scenario });
      const prefixes = async (query = '') =>
        (await lab.rest('GET', `/v1/bgp/routes?table_type=loc-rib&afi=ipv4&safi=unicast${query}`)).json.map(
          ({ prefix }: { prefix: string }) => prefix,
        );
      expect(await prefixes()).toEqual(['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']);
      expect(await prefixes('&router_asn=0')).toHaveLength(3);
      expect(await prefixes('&router_asn=64512')).toEqual(['10.0.0.0/24', '10.0.1.0/24']);
      expect(await prefixes('&neighbor=192.0.2.1')).toEqual(['10.0.0.0/24', '10.0.2.0/24']);
      const names = (await lab.rest('GET', '/v1/bgp/route-policies?router_asn=64513')).json;
      expect(names).toEqual([{ 'router-asn': 64513, name: 'b' }]);
      expect((await lab.rest('GET', '/v1/bgp/peers')).json).toEqual(SCENARIO.bgp.peers);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a lab without BGP says so', async () => {
    await using lab = await startTestLab();
    expect(await lab.rest('GET', '/v1/bgp/peers')).toMatchObject({
      status: 501,
      json: 'BGP control plane is disabled',
    });
  });
});
