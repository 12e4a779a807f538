import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { agentOf } from '../../helpers/agent.ts';
import { run } from '../../helpers/run.ts';

describe('preflight', () => {
  test('fqdn-poller writes the addresses beside each name', async () => {
    const policy = JSON.stringify([
      {
        egress: [
          {
            toFQDNs: [{ matchName: 'A.example' }, { matchPattern: '*' }],
            toCIDRSet: [{ cidr: '192.0.2.7/32' }, { cidr: '192.0.2.1/32' }],
          },
          { toFQDNs: [{ matchName: 'b.example' }] },
        ],
      },
    ]);
    await using agent = await agentOf({ 'GET /v1/policy': { body: { policy, revision: 2 } } });
    const { stdout } = await agent.run(['preflight', 'fqdn-poller', '--tofqdns-pre-cache-ttl=60']);
    const want = [
      {
        fqdn: 'a.example.',
        'lookup-time': '1970-01-01T00:00:00.000Z',
        'expiration-time': '1970-01-01T00:01:00.000Z',
        ttl: 60,
        ips: ['192.0.2.1', '192.0.2.7'],
      },
    ];
    expect(JSON.parse(stdout)).toEqual(want);
    const folder = mkdtempSync(join(tmpdir(), 'poller-'));
    try {
      const words = ['--tofqdns-pre-cache', 'cache.json', '--tofqdns-pre-cache-ttl=60'];
      await agent.run(['preflight', 'fqdn-poller', ...words], { cwd: folder });
      expect(JSON.parse(readFileSync(join(folder, 'cache.json'), 'utf8'))).toEqual(want);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  // differs: preflight-identity
  test('migrate-identity says that it only prints', async () => {
    const { stderr, code } = await run(['preflight', 'migrate-identity']);
    expect(stderr).toContain('migrate-identity writes no Kubernetes objects by itself');
    expect(code).toBe(1);
  });
});
