import { describe, expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

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

  test.each([
    [[], { deny: [] }],
    [['--revision', '010'], { deny: [], revision: 8 }],
    [['--revision', '1_000'], { deny: [], revision: 1000 }],
  ])(
    'sends the list of blocks although it is empty, and numbers as Go reads them: %j',
    async (flags, body) => {
      for (const [verb, call] of Object.entries({ update: 'PATCH', delete: 'DELETE' })) {
        const { seen } = await runWith(['prefilter', verb, ...flags], {
          [`${call} /v1/prefilter`]: held([]),
        });
        expect(seen[0]?.body).toEqual(body);
      }
    },
  );

  test('refuses what is no block before it asks the agent', async () => {
    const { stderr, seen } = await runWith(['prefilter', 'update', '--cidr', '10.0.0.0/33'], {});
    expect(stderr).toContain('Cannot parse CIDR "10.0.0.0/33"');
    expect(seen).toEqual([]);
  });
});
