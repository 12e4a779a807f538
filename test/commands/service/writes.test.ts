import { describe, expect, test } from '@jest/globals';
import { agentOf, type MadeAgent } from '../../helpers/agent.ts';

const realized = (backends: number) => ({
  body: {
    spec: { id: 4 },
    status: {
      realized: {
        id: 4,
        'frontend-address': { ip: '10.96.0.4', port: 80 },
        'backend-addresses': Array.from({ length: backends }, (_, i) => ({ ip: `10.0.0.${i}`, port: 80 })),
        flags: { name: 'web', namespace: 'shop', type: 'ClusterIP' },
      },
    },
  },
});

/** The requests that came, but for the question of the agent's release. */
function asked(agent: MadeAgent): MadeAgent['seen'] {
  return agent.seen.filter(({ call }) => call !== 'GET /v1/healthz');
}

const health = (version: string) => ({ body: { cilium: { state: 'Ok', msg: version } } });

describe('service update', () => {
  test('creates a service of its flags, and takes backends from stdin', async () => {
    await using agent = await agentOf({
      'GET /v1/service/4': [{ status: 404 }, realized(2)],
      'PUT /v1/service/4': { status: 201 },
    });
    const { stdout, stderr } = await agent.run(
      [
        'service',
        'update',
        '--id=4',
        '--frontend=[fd00::4]:80/tcp',
        '--k8s-node-port',
        '--k8s-ext-traffic-policy=local',
      ],
      { stdin: '10.0.0.1:8080\n\n[fd00::1]:8080\n' },
    );
    expect(stdout).toBe(
      "Creating new service with id '4'\nReading backend list from stdin...\nAdded service with 2 backends\n",
    );
    expect(stderr).toBe('');
    expect(asked(agent)[1]?.body).toEqual({
      id: 4,
      'frontend-address': { ip: 'fd00::4', port: 80, protocol: 'tcp', scope: 'external' },
      'backend-addresses': [
        { ip: '10.0.0.1', port: 8080, state: 'active' },
        { ip: 'fd00::1', port: 8080, state: 'active' },
      ],
      flags: {
        type: 'NodePort',
        trafficPolicy: 'Local',
        extTrafficPolicy: 'Local',
        intTrafficPolicy: 'Cluster',
      },
    });
  });

  test('keeps what the realized service says beside the flags, and waits for its backends', async () => {
    await using agent = await agentOf({
      'GET /v1/service/4': [realized(0), realized(0), realized(1)],
      'PUT /v1/service/4': {},
    });
    const { stdout, code } = await agent.run([
      'service',
      'update',
      '--id=4',
      '--frontend=10.96.0.4:80',
      '--backends=10.0.0.9:80',
      '--states=maintenance',
      '--backend-weights=7',
      '--k8s-cluster-internal',
      '--wait',
    ]);
    expect(stdout).toBe("Updating existing service with id '4'\nUpdated service with 1 backends\n");
    expect(code).toBe(0);
    expect(asked(agent)[1]?.body).toMatchObject({
      'frontend-address': { scope: 'internal' },
      'backend-addresses': [{ ip: '10.0.0.9', port: 80, state: 'maintenance', weight: 7 }],
      flags: { name: 'web', namespace: 'shop', type: 'ClusterIP' },
    });
  });

  test('without a frontend changes the states of backends', async () => {
    await using agent = await agentOf({ 'PUT /v1/service/0': {} });
    const { stdout } = await agent.run([
      'service',
      'update',
      '--backends=10.0.0.9:80',
      '--states=quarantined',
    ]);
    expect(stdout).toBe('Updating backend states \nUpdated service with 1 backends\n');
    expect(asked(agent)[0]?.body).toMatchObject({ updateServices: true });
  });

  test.each([
    [['--id=4', '--frontend=web:80'], '"web:80" is not a frontend address'],
    [['--id=4', '--frontend=10.0.0.1:80/icmp'], '"icmp" is not a protocol'],
    [['--id=4', '--frontend=10.0.0.1:80', '--k8s-node-port', '--k8s-host-port'], 'Can only set one of'],
    [['--id=4', '--frontend=10.0.0.1:80', '--k8s-int-traffic-policy=near'], '"near" is not a traffic policy'],
    [['--backends=10.0.0.1:80'], 'Cannot update empty backend states'],
  ])('refuses %j before it asks the agent for a service', async (flags, message) => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run(['service', 'update', ...flags]);
    expect(stderr).toContain(message);
    expect(code).toBe(1);
    expect(asked(agent)).toEqual([]);
  });

  // differs: service-update-nothing
  test.each([
    [['--backends=nowhere'], 'Cannot parse backend address "nowhere"'],
    [['--backends=10.0.0.1:80', '--states=tired'], 'Invalid backend state (tired)'],
    [['--backends=10.0.0.1:80', '--backend-weights=1,2'], 'Mismatch between number of backend weights'],
  ])('changes nothing with %j', async (flags, message) => {
    await using agent = await agentOf({ 'GET /v1/service/4': { status: 404 } });
    const { stderr } = await agent.run(['service', 'update', '--id=4', '--frontend=10.0.0.1:80', ...flags]);
    expect(stderr).toContain(message);
    expect(asked(agent).map((request) => request.call)).toEqual(['GET /v1/service/4']);
  });

  test('without a number it is the agent that refuses, and a sentence says what to give', async () => {
    await using agent = await agentOf({
      'GET /v1/service/0': { status: 404 },
      'PUT /v1/service/0': { status: 500, body: 'invalid service ID 0' },
    });
    const { stdout, stderr, code } = await agent.run([
      'service',
      'update',
      '--frontend=10.0.0.1:80',
      '--backends=10.0.0.2:80',
    ]);
    expect({ stdout, code }).toEqual({ stdout: "Creating new service with id '0'\n", code: 1 });
    expect(stderr).toContain('invalid service ID 0');
    expect(stderr).toContain('--id');
  });

  // differs: service-update-protocol
  test('a frontend with a protocol is refused for agents whose services have none', async () => {
    await using agent = await agentOf({ 'GET /v1/healthz': health('1.10.3') });
    const flags = ['--id=4', '--frontend=10.0.0.1:80/tcp', '--backends=10.0.0.2:80'];
    const { stdout, stderr, code } = await agent.run(['service', 'update', ...flags]);
    expect({ stdout, code, asked: asked(agent) }).toEqual({ stdout: '', code: 1, asked: [] });
    expect(stderr).toContain('services of Cilium 1.10 have no protocol');
  });

  test('--protocol is that of the frontend and of the backends', async () => {
    await using agent = await agentOf({
      'GET /v1/healthz': health('1.17.3'),
      'PUT /v1/service/4': { status: 201 },
    });
    const flags = ['--id=4', '--protocol=UDP', '--frontend=10.0.0.1:53', '--backends=10.0.0.2:53'];
    await agent.run(['service', 'update', ...flags]);
    expect(agent.seen.find(({ call }) => call.startsWith('PUT '))?.body).toMatchObject({
      'frontend-address': { ip: '10.0.0.1', port: 53, protocol: 'udp' },
      'backend-addresses': [{ ip: '10.0.0.2', port: 53, protocol: 'udp' }],
    });
  });

  test.each([
    ['1.12.9', ''],
    ['1.13.4', 'Deprecation warning: --id parameter will change from int to string in v1.14\n'],
    ['1.17.0', 'Deprecation warning: --id parameter will change from int to string in v1.14\n'],
    ['1.18.0', ''],
  ])('the command line of %s says first what it says of numbers', async (version, line) => {
    await using agent = await agentOf({ 'GET /v1/healthz': health(version), 'DELETE /v1/service/4': {} });
    const { stdout } = await agent.run(['service', 'delete', '4']);
    expect(stdout).toBe(`${line}Service 4 deleted successfully\n`);
  });

  // differs: ended-api
  test('says that a current agent takes no single services', async () => {
    await using agent = await agentOf({});
    const { stderr, code } = await agent.run([
      'service',
      'update',
      '--id=4',
      '--frontend=10.0.0.1:80',
      '--backends=10.0.0.1:80',
    ]);
    expect(stderr).toContain('this agent takes no changes of single services through its API');
    expect(code).toBe(1);
  });
});

describe('service delete', () => {
  test('takes a number, and waits until the service is gone', async () => {
    await using agent = await agentOf({
      'DELETE /v1/service/4': {},
      'GET /v1/service/4': [realized(1), { status: 404 }],
    });
    const { stdout, stderr } = await agent.run(['service', 'delete', '0x4', '--wait']);
    expect({ stdout, stderr }).toEqual({ stdout: 'Service 4 deleted successfully\n', stderr: '' });
  });

  // differs: service-delete-all
  test('--all goes on after a service that cannot be deleted, and fails in the end', async () => {
    const service = (id: number) => ({ spec: { id }, status: { realized: { id } } });
    await using agent = await agentOf({
      'GET /v1/service': { body: [service(1), service(2), service(3)] },
      'DELETE /v1/service/1': {},
      'DELETE /v1/service/2': { status: 500, body: 'busy' },
      'DELETE /v1/service/3': {},
    });
    const { stderr, code } = await agent.run(['service', 'delete', '--all']);
    expect(stderr).toContain('Cannot delete service 2: [DELETE /service/{id}][500]');
    expect(stderr).toContain('Error: 1 of 3 services could not be deleted: 2');
    expect(code).toBe(1);
    expect(agent.seen.map((request) => request.call)).toContain('DELETE /v1/service/3');
  });
});
