import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';

describe('map get', () => {
  test.each([
    [{ path: 'm' }, 'Cache is disabled\n\n'],
    [{ cache: [] }, 'Cache is empty\n\n'],
    [
      { cache: [null, { key: 'k', value: 'v', 'last-error': 'no' }] },
      'Key   Value   State   Error\nk     v               no\n',
    ],
  ])('of %j', async (body, want) => {
    await using agent = await agentOf({ 'GET /v1/map/m': { body } });
    expect((await agent.run(['map', 'get', 'm'])).stdout).toBe(want);
  });
});
