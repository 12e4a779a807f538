import { expect, test } from '@jest/globals';
import { firewallItems } from '../../../src/node/cleanup/firewall.ts';
import { parseSave } from '../../../src/node/state/firewall.ts';
import { nodeWith, steps } from '../node-state.ts';

const itemsOf = (...lines: string[]) =>
  firewallItems(nodeWith({ firewall: parseSave('iptables-nft', ['*filter', ...lines].join('\n')) }));

const scripts = (...lines: string[]) => {
  const [item] = itemsOf(...lines);
  return [item?.remove[0], item?.restore?.[0]].map((action) =>
    action?.do === 'run' ? action.stdin?.split('\n').slice(1, -2) : undefined,
  );
};

test('rules are removed and brought back at their places', () => {
  const [item] = itemsOf(
    ':INPUT ACCEPT [0:0]',
    ':CILIUM_INPUT - [0:0]',
    '-A INPUT -j OTHER',
    '-A INPUT -j CILIUM_INPUT',
    '-A CILIUM_INPUT -j ACCEPT',
  );
  expect(item).toMatchObject({
    id: 'iptables iptables-nft filter',
    what: 'iptables-nft table filter: 1 chain, 2 rules',
    details: [':CILIUM_INPUT', '-A INPUT -j CILIUM_INPUT', '-A CILIUM_INPUT -j ACCEPT'],
  });
  expect([...steps(item), ...steps(item, 'restore')]).toEqual(
    Array(2).fill('iptables-nft-restore --noflush'),
  );
  expect(item?.remove[0]).toMatchObject({
    stdin: '*filter\n-D INPUT -j CILIUM_INPUT\n-F CILIUM_INPUT\n-X CILIUM_INPUT\nCOMMIT\n',
  });
  expect(item?.restore?.[0]).toMatchObject({
    stdin: '*filter\n:CILIUM_INPUT - [0:0]\n-A CILIUM_INPUT -j ACCEPT\n-I INPUT 2 -j CILIUM_INPUT\nCOMMIT\n',
  });
});

test('places are counted chain by chain', () => {
  const [, restore] = scripts(
    '-A FORWARD -j X',
    '-A FORWARD -j Y',
    '-A INPUT -j CILIUM_A',
    '-A FORWARD -g CILIUM_B',
  );
  expect(restore).toEqual(['-I INPUT 1 -j CILIUM_A', '-I FORWARD 3 -g CILIUM_B']);
});

test.each([
  ['-A INPUT -j CILIUM_INPUT', true],
  ['-A INPUT -j OLD_CILIUM_INPUT', true],
  ['-A INPUT -m comment --comment "cilium: any->proxy" -j ACCEPT', true],
  ['-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j LOG', true],
  ['-A INPUT -m comment --comment cilium -j LOG', true],
  ['-A INPUT -m comment --comment "ciliumish" -j LOG', false],
  ['-A INPUT -m comment --comment "not cilium: x" -j LOG', false],
  ['-A INPUT -j MY_CILIUM_INPUT', false],
  ['-A MY_CILIUM_ -j ACCEPT', false],
])('%s is Cilium’s: %s', (rule, own) => {
  expect(scripts(rule)[0]).toEqual(own ? [rule.replace('-A', '-D')] : undefined);
});

test('a table with chains alone is told of, and one without anything is not', () => {
  expect(itemsOf(':OLD_CILIUM_POST - [0:0]')[0]?.what).toBe('iptables-nft table filter: 1 chain, 0 rules');
  expect(itemsOf(':MY_CILIUM_POST - [0:0]')).toEqual([]);
  expect(itemsOf(':INPUT ACCEPT [0:0]', '-A INPUT -j ACCEPT')).toEqual([]);
});

test('ip sets go by their name and come back with their entries', () => {
  const saved = 'create cilium_node_set_v4 hash:ip\nadd cilium_node_set_v4 10.0.0.1\n';
  const items = firewallItems(
    nodeWith({
      ipsets: [
        { name: 'cilium_node_set_v4', saved },
        { name: 'my_cilium_set', saved: '' },
      ],
    }),
  );
  expect(items.map(({ id }) => id)).toEqual(['ipset cilium_node_set_v4']);
  expect(steps(items[0])).toEqual(['ipset destroy cilium_node_set_v4']);
  expect(items[0]?.restore).toEqual([
    expect.objectContaining({ command: ['ipset', 'restore', '-exist'], stdin: saved }),
  ]);
});
