import { expect, test } from '@jest/globals';
import { runWith } from '../../helpers/agent.ts';

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

// differs: release-forms
test.each([
  ['1.12.19', ''],
  ['1.14.19', ''],
  ['1.15.0', '   SPI'],
])('nodeid list of %s ends its titles with %j', async (version, end) => {
  const { stdout } = await runWith(['nodeid', 'list'], {
    'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: version } } },
    'GET /v1/node/ids': { body: [{ id: 300, ips: ['192.0.2.1', 'fd00::1'] }] },
  });
  expect(stdout).toBe(`NODE ID   IP ADDRESSES${end}\n0x12c     192.0.2.1\n          fd00::1\n`);
});

// differs: yaml-columns
test('nodeid list -o yaml of 1.12 has the columns of newer agents', async () => {
  const { stdout } = await runWith(['nodeid', 'list', '-o', 'yaml'], {
    'GET /v1/healthz': { body: { cilium: { state: 'Ok', msg: '1.12.19' } } },
    'GET /v1/node/ids': { body: [{ id: 300, ips: ['192.0.2.1'] }] },
  });
  expect(stdout).toBe('- id: 300\n  ips:\n    - 192.0.2.1\n\n');
});
