import { describe, expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

describe('identity', () => {
  test('list shows one label per key, the innermost CIDR, and no identity without labels', async () => {
    const body = [
      { id: 300, labels: ['cidr:fd00--/64', 'cidr:0--0/0', 'reserved:world'] },
      { id: 200, labels: ['k8s:app=a', 'container:app=b', ':=x'] },
      { id: 100 },
    ];
    const { stdout } = await runWith(['identity', 'list'], { 'GET /v1/identity': { body } });
    expect(stdout).toBe(
      ['ID    LABELS', '200   container:app=b', '300   cidr:fd00::/64', '      reserved:world', ''].join(
        '\n',
      ),
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
