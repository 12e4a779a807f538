import { expect, test } from '@jest/globals';
import { readFirewall, readIpsets } from '../../../src/node/state/firewall.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import { fakePrograms } from '../../helpers/programs.ts';

test('a firewall that cannot be read is told of, so that nobody takes it for clean', async () => {
  const quiet = ['iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy', 'iptables', 'ip6tables'];
  using programs = fakePrograms({
    'iptables-nft-save': 'echo "Could not fetch rule set generation id" >&2; exit 4',
    ...Object.fromEntries(quiet.map((name) => [`${name}-save`, 'exit 0'])),
    ipset: 'echo "Kernel error received: Operation not permitted" >&2; exit 1',
  });
  const onFakes = systemRun({ PATH: programs.path });
  const notes: string[] = [];
  expect(await readFirewall(onFakes, notes)).toEqual([]);
  expect(await readIpsets(onFakes, notes)).toEqual([]);
  expect(notes).toEqual([
    'iptables-nft-save: Could not fetch rule set generation id',
    'ipset save: Kernel error received: Operation not permitted',
  ]);
});

test('the plain programs are asked where the back ends have none of their own', async () => {
  const quiet = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy', 'ip6tables'];
  using programs = fakePrograms({
    ...Object.fromEntries(quiet.map((name) => [`${name}-save`, 'exit 0'])),
    'iptables-save': 'printf "*nat\\n:A - [0:0]\\n-A A -j B\\n*raw\\n:C - [0:0]\\n"',
    ipset: 'printf "create a hash:ip\\ncreate b hash:ip\\nadd a 10.0.0.1\\nadd b 10.0.0.2\\n"',
  });
  const onFakes = systemRun({ PATH: programs.path });
  const notes: string[] = [];
  expect(await readFirewall(onFakes, notes)).toEqual([
    { program: 'iptables', table: 'nat', chains: ['A'], rules: ['-A A -j B'] },
    { program: 'iptables', table: 'raw', chains: ['C'], rules: [] },
  ]);
  expect(await readIpsets(onFakes, notes)).toEqual([
    { name: 'a', saved: 'create a hash:ip\nadd a 10.0.0.1\n' },
    { name: 'b', saved: 'create b hash:ip\nadd b 10.0.0.2\n' },
  ]);
  expect(notes).toEqual([]);
});
