import { describe, expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

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

  // differs: ended-api
  test('says which agents have a recorder when this one has none', async () => {
    const { stderr, code } = await runWith(['recorder', 'list'], {});
    expect(stderr).toContain('this agent has no packet recorder');
    expect(stderr).toContain('Cilium 1.10 to 1.18 have one');
    expect(code).toBe(1);
  });
});
