import { describe, expect, test } from '@jest/globals';
import { type Answer, agentOf } from '../../helpers/agent.ts';

/** Runs one command against one answer. */
async function runWith(argv: string[], answers: Record<string, Answer | Answer[]>, options = {}) {
  await using agent = await agentOf(answers);
  return { ...(await agent.run(argv, options)), seen: agent.seen };
}

describe('identity', () => {
  test('list shows one label per key, CIDR labels as blocks, and no identity without labels', async () => {
    const body = [
      { id: 300, labels: ['cidr:fd00--/64', 'cidr:0--0/0', 'reserved:world'] },
      { id: 200, labels: ['k8s:app=a', 'container:app=b', ':=x'] },
      { id: 100 },
    ];
    const { stdout } = await runWith(['identity', 'list'], { 'GET /v1/identity': { body } });
    expect(stdout).toBe(
      [
        'ID    LABELS',
        '200   container:app=b',
        '300   cidr:::/0',
        '      cidr:fd00::/64',
        '      reserved:world',
        '',
      ].join('\n'),
    );
  });

  test('list --pods shows which pods have an identity', async () => {
    const { stdout } = await runWith(['identity', 'list', '--pods'], {
      'GET /v1/identity': { body: [{ id: 7, labels: ['k8s:app=web', 'k8s:x=y'] }] },
      'GET /v1/endpoint': {
        body: ['a', 'b', 'c'].map((name, id) => ({
          id,
          status: {
            identity: { id: 7 },
            'external-identifiers': { 'k8s-pod-name': name, 'k8s-namespace': 'shop' },
          },
        })),
      },
    });
    expect(stdout).toBe(
      [
        'ID   LABELS        PODS',
        '7    k8s:app=web   shop/a',
        '     k8s:x=y       shop/b',
        '                   shop/c',
        '',
      ].join('\n'),
    );
  });

  test('get takes a label list instead of a number', async () => {
    const { stdout, seen } = await runWith(['identity', 'get', '--label', 'a=b,c'], {
      'GET /v1/identity': { body: [{ id: 2, labels: ['k8s:c'] }] },
    });
    expect(seen[0]?.body).toEqual(['a=b', 'c']);
    expect(stdout).toBe('ID   LABELS\n2    k8s:c\n');
  });
});

describe('ip', () => {
  const entries = [
    {
      cidr: '10.0.0.2/32',
      identity: 7,
      hostIP: '192.0.2.1',
      encryptKey: 3,
      metadata: { source: 'k8s', name: 'a', namespace: 's' },
    },
    { cidr: 'fd00::1/128', identity: 8 },
    { cidr: '10.0.0.0/8', identity: 7 },
    { cidr: '10.0.0.10/32', identity: 7 },
  ];

  test('list orders by prefix length and asks for each identity once', async () => {
    const { stdout, stderr, seen, code } = await runWith(['ip', 'list', '-v'], {
      'GET /v1/ip': { body: entries },
      'GET /v1/identity/7': { body: { id: 7, labels: ['k8s:app=web'] } },
    });
    expect(stdout).toBe(
      [
        'IP             IDENTITY      SOURCE   HOST        ENCRYPT_KEY',
        '10.0.0.0/8     k8s:app=web                        0',
        '10.0.0.2/32    k8s:app=web   k8s      192.0.2.1   3',
        '10.0.0.10/32   k8s:app=web                        0',
        'fd00::1/128    8                                  0',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe(
      'Cannot get identity for ID 8: [GET /identity/{id}][404] getIdentityIdNotFound {"code":404,"message":"path /v1/identity/8 was not found"}\n',
    );
    expect(seen.map((request) => request.call)).toEqual([
      'GET /v1/ip',
      'GET /v1/identity/7',
      'GET /v1/identity/8',
    ]);
    expect(code).toBe(0);
  });

  test('get by labels prints its banner and the brief table', async () => {
    const { stdout, seen } = await runWith(['ip', 'get', '-l', 'k8s:app=web'], {
      'GET /v1/ip': { body: [entries[0]] },
    });
    expect(seen[0]?.body).toEqual(['k8s:app=web']);
    expect(stdout).toBe(
      [
        '===========================',
        'Labels:',
        '    k8s:app=web',
        '===========================',
        'IP            HOST        IDENTITY   POD   NAMESPACE',
        '10.0.0.2/32   192.0.2.1   7          a     s',
        '',
      ].join('\n'),
    );
  });

  test('get by block asks the agent for it', async () => {
    const { seen, code } = await runWith(['ip', 'get', '10.0.0.2/32', '-o', 'json'], {
      'GET /v1/ip?cidr=10.0.0.2%2F32': { body: [entries[0]] },
    });
    expect({ code, calls: seen.length }).toEqual({ code: 0, calls: 1 });
  });
});

describe('service list', () => {
  const service = (spec: object, id = 1) => ({
    spec: { id, ...spec },
    status: { realized: { id, ...spec } },
  });

  test('marks remote services in the type, preferred backends on request, and the internal scope', async () => {
    const body = [
      service({
        'frontend-address': { ip: 'fd00::a', port: 80, protocol: 'tcp', scope: 'internal' },
        'backend-addresses': [
          { ip: '10.0.0.1', port: 8080, protocol: 'TCP', state: 'active', preferred: true },
          { ip: 'fd00::1', port: 8080, protocol: 'TCP', state: 'terminating' },
        ],
        flags: { type: 'ClusterIP', cluster: 'west' },
      }),
      service(
        { 'frontend-address': { ip: '10.96.0.1', port: 443, protocol: 'TCP' }, flags: { type: 'NodePort' } },
        12,
      ),
      { spec: { id: 3 } },
    ];
    const { stdout, stderr } = await runWith(['service', 'list', '--clustermesh-affinity'], {
      'GET /v1/service': { body },
    });
    expect(stdout).toBe(
      [
        'ID   Frontend             Service Type         Backend                                       ',
        '1    [fd00::a]:80/TCP/i   ClusterIP (Remote)   1 => 10.0.0.1:8080/TCP (active) (preferred)   ',
        '                                               2 => [fd00::1]:8080/TCP (terminating)         ',
        '12   10.96.0.1:443/TCP    NodePort                                                           ',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe('Note: 1 services have no realized state and are left out.\n');
  });

  test('of an agent before 1.20 shows no protocols, and before 1.17 no states', async () => {
    const body = [
      service({
        'frontend-address': { ip: '10.96.0.1', port: 443, protocol: 'TCP' },
        'backend-addresses': [{ ip: '10.0.0.1', port: 6443 }],
        flags: { type: 'ClusterIP' },
      }),
    ];
    const { stdout } = await runWith(['service', 'list'], { 'GET /v1/service': { body } });
    expect(stdout.split('\n')[1]).toBe('1    10.96.0.1:443   ClusterIP      1 => 10.0.0.1:6443   ');
  });

  test('get of a 1.9 agent has the form of 1.9', async () => {
    const body = service({
      'frontend-address': { ip: '10.96.0.1', port: 443 },
      'backend-addresses': [
        { ip: '10.0.0.1', port: 6443 },
        { ip: '10.0.0.2', port: 6443 },
      ],
    });
    const { stdout } = await runWith(['service', 'get', '1'], { 'GET /v1/service/1': { body } });
    expect(stdout).toBe('10.96.0.1:443 =>\n\t\t1 => 10.0.0.1:6443 (1)\n\t\t2 => 10.0.0.2:6443 (1)\n');
  });

  test('get falls back to the list where the agent has no such call', async () => {
    const body = [
      service({ 'frontend-address': { ip: '10.96.0.1', port: 443 }, flags: { type: 'ClusterIP' } }, 16),
    ];
    const { stdout } = await runWith(['service', 'get', '0x10'], { 'GET /v1/service': { body } });
    expect(stdout).toContain('16   10.96.0.1:443');
    const missing = await runWith(['service', 'get', '17'], { 'GET /v1/service': { body } });
    expect(missing.stderr).toContain("Cannot get service '17': the agent has no service of this number");
  });
});

describe('lrp, cgroups, nodes and the DNS cache', () => {
  test('lrp list shows where each frontend leads', async () => {
    const body = [
      {
        namespace: 'kube-system',
        name: 'dns',
        'frontend-type': 'clusterIP + all svc ports',
        'service-id': 'kube-system/kube-dns',
        'frontend-mappings': [
          {
            'frontend-address': { ip: '10.96.0.10', port: 53, protocol: 'UDP' },
            backends: [
              { 'pod-id': 'kube-system/node-local', 'backend-address': { ip: '10.0.0.9', port: 53 } },
            ],
          },
          { 'frontend-address': { ip: '10.96.0.10', port: 53, protocol: 'TCP' } },
        ],
      },
    ];
    const { stdout } = await runWith(['lrp', 'ls'], { 'GET /v1/lrp': { body } });
    expect(stdout).toBe(
      [
        'LRP namespace   LRP name   FrontendType                Matching Service',
        'kube-system     dns        clusterIP + all svc ports   kube-system/kube-dns',
        '                |          10.96.0.10:53/UDP -> 10.0.0.9:53(kube-system/node-local), ',
        '                |          10.96.0.10:53/TCP -> ',
        '',
      ].join('\n'),
    );
  });

  test('cgroups list has a line per container', async () => {
    const body = {
      'pod-metadatas': [
        { name: 'web', namespace: 'shop', containers: [{ 'cgroup-id': 1 }, { 'cgroup-id': 22 }] },
        { name: 'idle', namespace: 'shop' },
      ],
    };
    const { stdout } = await runWith(['cgroups', 'list', '--no-headers'], {
      'GET /v1/cgroup-dump-metadata': { body },
    });
    expect(stdout).toBe('web   shop   1    \n             22   \n');
  });

  test('node list prints nothing when the agent knows no node', async () => {
    const { stdout, code } = await runWith(['node', 'list'], {
      'GET /v1/cluster/nodes': { body: { self: 'x' } },
    });
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
  });

  test('node list of a 1.9 agent has no column for a source', async () => {
    const node = {
      name: 'n1',
      'primary-address': { ipv4: { ip: '192.0.2.1', 'alloc-range': '10.0.0.0/16' } },
    };
    const { stdout } = await runWith(['node', 'list'], {
      'GET /v1/cluster/nodes': { body: { 'nodes-added': [node] } },
    });
    expect(stdout).toBe(
      [
        'Name   IPv4 Address   Endpoint CIDR   IPv6 Address   Endpoint CIDR',
        'n1     192.0.2.1      10.0.0.0/16                    ',
        '',
      ].join('\n'),
    );
  });

  test('fqdn cache list sends its filters escaped, and takes a 404 for an empty cache', async () => {
    const call = 'GET /v1/fqdn/cache/3800?matchpattern=%2A.example.com&source=lookup';
    const { stdout, seen } = await runWith(
      ['fqdn', 'cache', 'list', '-e', '3800', '-p', '*.example.com', '-s', 'lookup'],
      { [call]: { status: 404 } },
    );
    expect(seen[0]?.call).toBe(call);
    expect(stdout).toBe('Endpoint   Source   FQDN   TTL   ExpirationTime   IPs   \n');
  });

  const lookups = {
    body: [{ fqdn: 'a.example.', ips: ['192.0.2.1', '192.0.2.2'], ttl: 5, 'endpoint-id': 3 }],
  };
  test.each([
    ['y\n', 'FQDN proxy cache cleared\n', true],
    ['yes\n', '', false],
    ['\n', '', false],
    ['', '', false],
  ])('fqdn cache clean asks, and takes %j as its answer', async (stdin, end, deletes) => {
    const { stdout, seen, code } = await runWith(
      ['fqdn', 'cache', 'clean'],
      { 'GET /v1/fqdn/cache': lookups, 'DELETE /v1/fqdn/cache': {} },
      { stdin },
    );
    expect(stdout).toMatch(
      /^Following cache entries are going to be deleted:\nEndpoint .*\n3 .*192.0.2.1,192.0.2.2 /,
    );
    expect(stdout.endsWith(`[y/N]? ${end}`)).toBe(true);
    expect(seen.some((request) => request.call.startsWith('DELETE'))).toBe(deletes);
    expect(code).toBe(0);
  });

  test('fqdn cache clean --force deletes what matches and asks nothing', async () => {
    const call = 'DELETE /v1/fqdn/cache?matchpattern=%2A.org';
    const { stdout, seen } = await runWith(['fqdn', 'cache', 'clean', '-f', '-p', '*.org'], { [call]: {} });
    expect(seen.map((request) => request.call)).toEqual([call]);
    expect(stdout).toBe('FQDN proxy cache cleared\n');
  });
});

describe('prefilter', () => {
  const held = (deny: string[]) => ({ body: { status: { realized: { revision: 4, deny } } } });

  test('list shows the revision and the blocks', async () => {
    const { stdout } = await runWith(['prefilter', 'list'], {
      'GET /v1/prefilter': held(['10.0.0.0/8', 'fd00::/8']),
    });
    expect(stdout).toBe('Revision: 4\n10.0.0.0/8\nfd00::/8\n');
  });

  test('update and delete send their blocks and read back', async () => {
    const update = await runWith(
      ['prefilter', 'update', '--cidr', '10.0.0.0/8,192.0.2.0/24', '--revision=3'],
      {
        'PATCH /v1/prefilter': held([]),
        'GET /v1/prefilter': held(['10.0.0.0/8']),
      },
    );
    expect(update.seen[0]?.body).toEqual({ deny: ['10.0.0.0/8', '192.0.2.0/24'], revision: 3 });
    expect(update.stdout).toBe('Updated 2 prefilter entries\n');
    expect(update.stderr).toContain('the agent does not show the blocks in the prefilter yet');
    const deleted = await runWith(['prefilter', 'delete', '--cidr', '10.0.0.0/8', '--wait'], {
      'DELETE /v1/prefilter': held([]),
      'GET /v1/prefilter': [held(['10.0.0.0/8']), held([])],
    });
    expect(deleted.stdout).toBe('Deleted 1 prefilter entries\n');
    expect(deleted.stderr).toBe('');
  });

  test('refuses what is no block before it asks the agent', async () => {
    const { stderr, seen } = await runWith(['prefilter', 'update', '--cidr', '10.0.0.0/33'], {});
    expect(stderr).toContain('Cannot parse CIDR "10.0.0.0/33"');
    expect(seen).toEqual([]);
  });
});

describe('recorder', () => {
  const recorder = {
    status: {
      realized: {
        id: 2,
        'capture-length': 100,
        filters: [
          {
            'src-prefix': '10.0.0.0/8',
            'src-port': '0',
            'dst-prefix': '0.0.0.0/0',
            'dst-port': '80',
            protocol: 'TCP',
          },
          { 'src-prefix': '::/0', 'src-port': '0', 'dst-prefix': '::/0', 'dst-port': '0', protocol: 'ANY' },
        ],
      },
    },
  };

  test('list shows recorders and masks', async () => {
    const mask = (priority: number, prefix: string) => ({
      status: {
        realized: {
          users: 1,
          priority,
          'src-prefix-mask': prefix,
          'src-port-mask': '0',
          'dst-prefix-mask': prefix,
          'dst-port-mask': 'ffff',
          'protocol-mask': 'ff',
        },
      },
    });
    const { stdout } = await runWith(['recorder', 'list'], {
      'GET /v1/recorder': { body: [recorder, { status: { realized: { id: 1, filters: [] } } }] },
      'GET /v1/recorder/masks': { body: [mask(9, 'ff000000'), mask(1, '0'.repeat(32))] },
    });
    expect(stdout.split('\n').map((line) => line.trimEnd())).toEqual([
      'ID   Capture Length   Wildcard Filters',
      '1    full             (none)',
      '2    <= 100           10.0.0.0/8:0   ->   0.0.0.0/0:80   TCP',
      '                      ::/0:0         ->   ::/0:0         ANY',
      '',
      'Users   Priority      Wildcard Masks',
      `1       1             ${'0'.repeat(32)}:0   ->   ${'0'.repeat(32)}:ffff   ff`,
      `1       9             ff000000:0                           ->   ff000000:ffff                           ff`,
      '',
    ]);
  });

  test('update creates one from its filters', async () => {
    const { stdout, seen } = await runWith(
      ['recorder', 'update', '--id=2', '--caplen=100', '--filters', '10.0.0.0/8 0 0.0.0.0/0 80 tcp'],
      { 'GET /v1/recorder/2': { status: 404 }, 'PUT /v1/recorder/2': { status: 201 } },
    );
    expect(stdout).toBe("Creating new recorder with id '2'\nAdded recorder with 1 filter\n");
    expect(seen[1]?.body).toEqual({
      id: 2,
      'capture-length': 100,
      filters: [recorder.status.realized.filters[0]],
    });
  });

  test('says which agents have a recorder when this one has none', async () => {
    const { stderr, code } = await runWith(['recorder', 'list'], {});
    expect(stderr).toContain('this agent has no packet recorder');
    expect(stderr).toContain('Cilium 1.17 has one, 1.20 does not');
    expect(code).toBe(1);
  });
});
