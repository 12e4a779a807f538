import { expect, test } from '@jest/globals';
import { parseIpsets, parseSave, readFirewall, readIpsets } from '../../../src/node/state/firewall.ts';
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

test('a comment with line breaks makes no chains, rules and tables', () => {
  const rule =
    String.raw`-A INPUT -m comment --comment "x\" \\` +
    '\n-A INPUT -j CILIUM_INPUT \n*nat\n:CILIUM_POST_nat - [0:0]\nfoo" -j ACCEPT';
  const text = `*filter\n:INPUT ACCEPT [0:0]\n:CILIUM_INPUT x - [1:2]\n${rule}\n-A INPUT -j OTHER\nCOMMIT\n`;
  expect(parseSave('iptables-nft', text)).toEqual([
    {
      program: 'iptables-nft',
      table: 'filter',
      chains: ['INPUT', 'CILIUM_INPUT x'],
      rules: [rule, '-A INPUT -j OTHER'],
    },
  ]);
});

test('a set with an odd name, or an entry with a comment of lines, is taken for no other', () => {
  const sets = [
    ['cilium_node_set_v4 evil', ['hash:ip family inet']],
    ['cilium_node_set_v4 hash:ip x', ['hash:ip family inet']],
    ['cilium_node_set_v4', ['hash:ip comment', '10.0.0.1 comment "x\\"', '10.0.0.2 comment "x\nflush"']],
    ['a\ncreate cilium_node_set_v6', ['hash:ip', '1.1.1.1']],
    [
      'b',
      [
        'hash:ip comment',
        '1.1.1.1 comment "\ncreate cilium_node_set_v6 hash:ip\nadd b 9.9.9.9\n"',
        '1.1.1.2',
      ],
    ],
  ] as const;
  const saved = sets.map(([name, [type, ...entries]]) => ({
    name,
    saved: [`create ${name} ${type}`, ...entries.map((entry) => `add ${name} ${entry}`), ''].join('\n'),
  }));
  expect(parseIpsets(saved.map((set) => set.saved).join(''))).toEqual(saved);
});
