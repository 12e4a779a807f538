import { describe, expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

describe('service list', () => {
  const service = (spec: object, id = 1) => ({
    spec: { id, ...spec },
    status: { realized: { id, ...spec } },
  });

  // differs: service-unrealized
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

  // differs: release-forms
  test('get of an agent up to 1.13 has a form of its own', async () => {
    const body = service({
      'frontend-address': { ip: '10.96.0.1', port: 443 },
      'backend-addresses': [
        { ip: '10.0.0.1', port: 6443 },
        { ip: '10.0.0.2', port: 6443 },
      ],
    });
    const get = async (version: string) => {
      const healthz = { body: { cilium: { state: 'Ok', msg: version } } };
      const answers = { 'GET /v1/service/1': { body }, 'GET /v1/healthz': healthz };
      return (await runWith(['service', 'get', '1'], answers)).stdout;
    };
    const old = '10.96.0.1:443 =>\n\t\t1 => 10.0.0.1:6443 (1)\n\t\t2 => 10.0.0.2:6443 (1)\n';
    expect([await get('1.9.2'), await get('1.13.90')]).toEqual([old, old]);
    expect(await get('1.14.2')).toMatch(/^ID +Frontend .*\n1 +10\.96\.0\.1:443 .*1 => 10\.0\.0\.1:6443 /);
  });

  test.each([
    ['1.13.18', /^10\.96\.0\.1:443 =>\n/],
    ['1.14.3', /^ID +Frontend +Service Type +Backend +\n1 +10\.96\.0\.1:443 /],
  ])('get of an agent of %s has the form of that release', async (version, wanted) => {
    const { stdout } = await runWith(['service', 'get', '1'], {
      'GET /v1/service/1': { body: service({ 'frontend-address': { ip: '10.96.0.1', port: 443 } }) },
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: `${version} (v)` } } },
    });
    expect(stdout).toMatch(wanted);
  });

  // differs: service-get
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
