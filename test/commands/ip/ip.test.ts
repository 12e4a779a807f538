import { describe, expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

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

  // differs: ip-list
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
        'fd00::1/128    ingress                            0',
        '',
      ].join('\n'),
    );
    expect(stderr).toBe(
      'Cannot get identity for ID 8: [GET /identity/{id}][404] getIdentityIdNotFound {"code":404,"message":"path /v1/identity/8 was not found"}\n',
    );
    expect(seen.map((request) => request.call)).toEqual([
      'GET /v1/ip',
      'GET /v1/healthz',
      'GET /v1/identity/7',
      'GET /v1/identity/8',
    ]);
    expect(code).toBe(0);
  });

  test('list of an agent up to 1.13 names reserved identities and shows every range around an address', async () => {
    const { stdout } = await runWith(['ip', 'list'], {
      'GET /v1/ip': {
        body: [
          { cidr: '0.0.0.0/0', identity: 2 },
          { cidr: '10.0.0.0/9', identity: 16777217 },
        ],
      },
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: '1.13.2' } } },
      'GET /v1/identity/16777217': {
        body: { id: 16777217, labels: ['cidr:10.0.0.0/9', 'cidr:10.0.0.0/8', 'reserved:world'] },
      },
    });
    expect(stdout).toBe(
      [
        'IP           IDENTITY          SOURCE',
        '0.0.0.0/0    world             ',
        '10.0.0.0/9   cidr:10.0.0.0/8   ',
        '             cidr:10.0.0.0/9   ',
        '             reserved:world    ',
        '',
      ].join('\n'),
    );
  });

  test.each([
    ['1.10.20', 7, '7'],
    ['1.13.18', 8, 'ingress'],
    ['1.13.18', 9, '9'],
    ['1.14.19', 8, 'ingress'],
    ['1.14.19', 9, '9'],
    ['1.19.4', 11, 'overlay-to-encrypt'],
    ['1.19.4', 12, '12'],
    ['1.20.2', 11, 'aggregate-cluster'],
    ['1.20.2', 1234, '1234'],
  ])('list of %s calls identity %d, which the agent does not know, %s', async (version, identity, name) => {
    const { stdout } = await runWith(['ip', 'list'], {
      'GET /v1/ip': { body: [{ cidr: '10.0.0.1/32', identity }] },
      'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: version } } },
    });
    expect(stdout.split(/\s+/)).toContain(name);
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
