import { expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

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
  const question = 'The command is non-revertible, do you want to continue [y/N]?\n';
  expect(stdout.endsWith(`192.0.2.1,192.0.2.2   \n${question}${end}`)).toBe(true);
  expect(seen.some((request) => request.call.startsWith('DELETE'))).toBe(deletes);
  expect(code).toBe(0);
});

test('fqdn cache clean --force deletes what matches and asks nothing', async () => {
  const call = 'DELETE /v1/fqdn/cache?matchpattern=%2A.org';
  const { stdout, seen } = await runWith(['fqdn', 'cache', 'clean', '-f', '-p', '*.org'], { [call]: {} });
  expect(seen.map((request) => request.call)).toEqual([call]);
  expect(stdout).toBe('FQDN proxy cache cleared\n');
});
