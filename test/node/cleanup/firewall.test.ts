import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  firewallItems,
  firewallLeft,
  removeFirewall,
  restoreFirewall,
  restoreIpset,
} from '../../../src/node/cleanup/firewall.ts';
import { parseSave } from '../../../src/node/state/firewall.ts';
import { systemRun } from '../../../src/node/state/run.ts';
import type { NodeState } from '../../../src/node/state/state.ts';
import { fakePrograms } from '../../helpers/programs.ts';
import { nodeWith, steps } from '../node-state.ts';

const itemsOf = (...lines: string[]) =>
  firewallItems(nodeWith({ firewall: parseSave('iptables-nft', ['*filter', ...lines].join('\n')) }));

/** What removes, and what would bring back, line by line. */
const scripts = (...lines: string[]) => {
  const [item] = itemsOf(...lines);
  const [remove] = item?.remove ?? [];
  return [
    remove?.do === 'firewall' ? remove.lines : undefined,
    item &&
      steps(item, 'restore')
        .slice(2, -1)
        .map((line) => line.replace('< ', '')),
  ];
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
  expect(steps(item)).toEqual(['iptables-nft-restore --noflush']);
  expect(item?.remove[0]).toMatchObject({
    lines: ['-D INPUT -j CILIUM_INPUT', '-F CILIUM_INPUT', '-X CILIUM_INPUT'],
  });
  expect(item?.restore).toEqual([
    {
      bring: 'firewall',
      program: 'iptables-nft',
      table: 'filter',
      chains: ['CILIUM_INPUT'],
      inside: ['-A CILIUM_INPUT -j ACCEPT'],
      feeders: [
        { chain: 'INPUT', rule: '-A INPUT -j CILIUM_INPUT', before: ['-A INPUT -j OTHER'], after: [] },
      ],
    },
  ]);
});

test.each([
  ['-A INPUT -j CILIUM_INPUT', true],
  ['-A INPUT -j OLD_CILIUM_INPUT', true],
  ['-A FORWARD -g CILIUM_FORWARD', true],
  ['-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j CILIUM_INPUT', true],
  ['-A INPUT -m comment --comment "cilium: any->proxy" -j ACCEPT', false],
  ['-A INPUT -m comment --comment "cilium-feeder: CILIUM_INPUT" -j LOG', false],
  ['-A INPUT -m comment --comment cilium -j LOG', false],
  ['-A INPUT -m comment --comment "cilium health checks, allowed by netops" -j ACCEPT', false],
  ['-A INPUT -j LOG --log-prefix "x -j CILIUM_INPUT "', false],
  ['-A INPUT -j LOG --log-prefix "a \\" -j CILIUM_INPUT "', false],
  ['-A INPUT -j MY_CILIUM_INPUT', false],
  ['-A INPUT -j CILIUM_TEAM', false],
  // A chain of another table.
  ['-A INPUT -j CILIUM_POST_nat', false],
  ['-A MY_CILIUM_ -j ACCEPT', false],
])('%s is Cilium’s: %s', (rule, own) => {
  expect(scripts(rule)[0]).toEqual(own ? [rule.replace('-A', '-D')] : undefined);
});

test('chains and sets that are only named like Cilium’s stay, and are told of', () => {
  const state = nodeWith({
    firewall: parseSave('iptables-nft', '*filter\n:CILIUM_TEAM - [0:0]\n:CILIUM_INPUT - [0:0]\n:X - [0:0]\n'),
    ipsets: ['cilium_node_set_v6', 'cilium_corp_blocklist', 'calico'].map((name) => ({ name, saved: '' })),
  });
  expect(firewallItems(state).map(({ id }) => id)).toEqual([
    'iptables iptables-nft filter',
    'ipset cilium_node_set_v6',
  ]);
  expect(firewallLeft(state)).toEqual([
    'chain CILIUM_TEAM (iptables-nft table filter): no release of Cilium makes one of this name',
    'ipset cilium_corp_blocklist: no release of Cilium makes one of this name',
  ]);
});

describe('a table comes back', () => {
  /** What is fed to iptables-restore, where the table now prints these lines. */
  const fed = async (now: string[], refuse = 'nothing') => {
    const step = firewallItems(
      nodeWith({
        firewall: parseSave('iptables-nft', ['*filter', ':CILIUM_INPUT - [0:0]', ...RECORDED].join('\n')),
      }),
    )[0]?.restore?.[0];
    if (step?.bring !== 'firewall') throw new Error('nothing is recorded');
    using programs = fakePrograms({
      'iptables-nft-save': `printf '%s\\n' '*filter' ${now.map((line) => `'${line}'`).join(' ')} COMMIT`,
      'iptables-nft-restore': `text=$(cat); echo "$text" | sed 's/^/fed /' >> ${'$'}(dirname $0)/fed; case "$text" in *"${refuse}"*) echo refused >&2; exit 2;; esac`,
    });
    writeFileSync(join(programs.path, 'fed'), '');
    const result = await restoreFirewall(step, systemRun({ PATH: programs.path })).catch(
      (error: Error) => error.message,
    );
    const lines = readFileSync(join(programs.path, 'fed'), 'utf8').match(/^fed [:-].*/gm) ?? [];
    return { result, lines: lines.map((line) => line.slice(4)) };
  };
  const [ONE, TWO, OWN, THREE] = [
    '-A INPUT -p tcp -m tcp --dport 1 -j ACCEPT',
    '-A INPUT -p tcp -m tcp --dport 2 -j ACCEPT',
    '-A INPUT -j CILIUM_INPUT',
    '-A INPUT -p tcp -m tcp --dport 3 -j ACCEPT',
  ];
  const INSIDE = ['-A CILIUM_INPUT -j ACCEPT', '-A CILIUM_INPUT -j DROP'];
  const RECORDED = [ONE, TWO, OWN, THREE, ...INSIDE];
  const CHAIN = ':CILIUM_INPUT - [0:0]';

  test.each([
    ['between its neighbours', [ONE, TWO, THREE], '-I INPUT 3 -j CILIUM_INPUT'],
    ['behind the nearest that stands', [ONE, THREE], '-I INPUT 2 -j CILIUM_INPUT'],
    ['in front of the nearest behind it', ['-A INPUT -j X', THREE], '-I INPUT 2 -j CILIUM_INPUT'],
    ['at the end, where its place is gone', ['-A INPUT -j X'], '-A INPUT -j CILIUM_INPUT'],
    ['at the end of an empty chain', [], '-A INPUT -j CILIUM_INPUT'],
  ])('%s', async (_where, now, line) => {
    expect(await fed([':INPUT ACCEPT [0:0]', ...now])).toEqual({
      result: true,
      lines: [CHAIN, ...INSIDE, line],
    });
  });

  test('as far as it is missing, and not at all when it stands', async () => {
    expect(await fed([CHAIN, ...RECORDED])).toEqual({ result: false, lines: [] });
    expect(await fed([CHAIN, ONE, TWO, OWN, THREE, INSIDE[0] ?? ''])).toEqual({
      result: true,
      lines: [INSIDE[1]],
    });
  });

  test('rule by rule, where one is refused', async () => {
    const { result, lines } = await fed([':INPUT ACCEPT [0:0]'], '-j DROP');
    expect(result).toBe('iptables-nft-restore --noflush: -A CILIUM_INPUT -j DROP (refused)');
    expect(lines.slice(4)).toEqual([CHAIN, ...INSIDE, OWN]);
  });
});

describe('a table is removed', () => {
  const RULES = ['-A INPUT -p tcp -j CILIUM_INPUT', '-A INPUT -j CILIUM_INPUT', '-A INPUT -j OTHER'];
  const CHAINS = [':INPUT ACCEPT [0:0]', ':CILIUM_INPUT - [0:0]', ':CILIUM_OUTPUT - [0:0]'];

  /**
   * What becomes of a table that was planned with all of the above and holds less by now. iptables-restore refuses a text
   * as a whole when a line of it has nothing to do, or is of a kind that is refused.
   */
  const removed = async (now: string[], refuse = 'nothing') => {
    const [item] = firewallItems(
      nodeWith({
        firewall: parseSave('iptables-nft', ['*filter', ...CHAINS, ...RULES].join('\n')),
      }),
    );
    const [action] = item?.remove ?? [];
    if (action?.do !== 'firewall') throw new Error('nothing is planned');
    using programs = fakePrograms({
      'iptables-nft-save': 'cat $(dirname $0)/table',
      'iptables-nft-restore': `
cd $(dirname $0); cp table new; cat >text; echo TEXT >>fed; cat text >>fed
while read -r line; do
  case "$line" in
    *'${refuse}'*) echo refused >&2; exit 2;;
    -D*) grep -qx -e "-A\${line#-D}" new || { echo "Bad rule (does a matching rule exist in that chain?)." >&2; exit 1; }
        awk -v rule="-A\${line#-D}" '$0 == rule && !gone++ { next } 1' new >next; mv next new;;
    -F*) grep -q "^:\${line#-F } " new || exit 1; grep -v "^-A \${line#-F } " new >next; mv next new;;
    -X*) grep -v "^:\${line#-X } " new >next; mv next new;;
  esac
done <text
cp new table`,
    });
    const table = join(programs.path, 'table');
    writeFileSync(table, `${['*filter', ...now].join('\n')}\n`);
    writeFileSync(join(programs.path, 'fed'), '');
    const result = await removeFirewall(action, systemRun({ PATH: `${programs.path}:/usr/bin:/bin` })).catch(
      (error: Error) => error.message,
    );
    const texts = readFileSync(join(programs.path, 'fed'), 'utf8').split('TEXT\n').length - 1;
    return { result, left: readFileSync(table, 'utf8').trim().split('\n').slice(1), texts };
  };
  const FOREIGN = [':INPUT ACCEPT [0:0]', '-A INPUT -j OTHER'];

  test('all at once', async () => {
    expect(await removed([...CHAINS, ...RULES])).toEqual({ result: true, left: FOREIGN, texts: 1 });
  });

  test('as far as it still stands, where rules and chains have gone by themselves', async () => {
    expect(await removed([...CHAINS.slice(0, 2), ...RULES.slice(1)])).toEqual({
      result: true,
      left: FOREIGN,
      texts: 1,
    });
    expect(await removed(FOREIGN)).toEqual({ result: false, left: FOREIGN, texts: 0 });
  });

  test('line by line where all at once is refused, and what stays is an error', async () => {
    expect(await removed([...CHAINS, ...RULES], '-X CILIUM_OUTPUT')).toEqual({
      result: 'iptables-nft-restore --noflush: -F CILIUM_OUTPUT; -X CILIUM_OUTPUT (refused)',
      left: [CHAINS[0], CHAINS[2], RULES[2]],
      texts: 7,
    });
  });
});

test('a table with chains alone is told of, and one without anything is not', () => {
  expect(itemsOf(':OLD_CILIUM_FORWARD - [0:0]')[0]?.what).toBe('iptables-nft table filter: 1 chain, 0 rules');
  expect(itemsOf(':MY_CILIUM_FORWARD - [0:0]')).toEqual([]);
  expect(itemsOf(':INPUT ACCEPT [0:0]', '-A INPUT -j ACCEPT')).toEqual([]);
});

test('ip sets go by their name and come back with their entries', () => {
  const saved = 'create cilium_node_set_v4 hash:ip\nadd cilium_node_set_v4 10.0.0.1\n';
  const items = firewallItems(
    nodeWith({
      ipsets: [
        { name: 'cilium_node_set_v4', saved },
        { name: 'cilium_x', saved: '' },
      ],
    }),
  );
  expect(items.map(({ id }) => id)).toEqual(['ipset cilium_node_set_v4']);
  expect(steps(items[0])).toEqual(['ipset destroy cilium_node_set_v4']);
  expect(items[0]?.restore).toEqual([
    { bring: 'ipset', name: 'cilium_node_set_v4', lines: saved.trim().split('\n') },
  ]);
});

test.each<[string, Partial<NodeState>]>([
  [
    'ipset corp',
    {
      ipsets: [
        { name: 'cilium_node_set_v4', saved: 'create cilium_node_set_v4 hash:ip\n' },
        { name: 'corp', saved: 'create corp list:set size 8\nadd corp cilium_node_set_v4\n' },
      ],
    },
  ],
  [
    'a rule of somebody else (iptables-legacy table nat, chain CORP)',
    {
      firewall: parseSave(
        'iptables-legacy',
        '*nat\n:CORP - [0:0]\n-A CORP -m set ! --match-set cilium_node_set_v4 dst -j ACCEPT\nCOMMIT\n',
      ),
    },
  ],
])('a set that %s stands on stays', (by, parts) => {
  const state = nodeWith({ ipsets: [{ name: 'cilium_node_set_v4', saved: '' }], ...parts });
  expect(firewallItems(state)).toEqual([]);
  expect(firewallLeft(state)).toEqual([`ipset cilium_node_set_v4: ${by} stands on it`]);
});

test('a set that only rules of Cilium and its own entries name goes', () => {
  const saved = 'create cilium_node_set_v4 hash:ip\nadd cilium_node_set_v4 10.0.0.1\n';
  const rule = '-A CILIUM_POST_nat -m set --match-set cilium_node_set_v4 dst -j ACCEPT';
  const other = '-A INPUT -m set --match-set cilium_node_set_v4x dst -j ACCEPT';
  const state = nodeWith({
    ipsets: [{ name: 'cilium_node_set_v4', saved }],
    firewall: parseSave('iptables-nft', `*nat\n:CILIUM_POST_nat - [0:0]\n${rule}\n${other}\nCOMMIT\n`),
  });
  expect(firewallItems(state).map(({ kind }) => kind)).toEqual(['iptables', 'ipset']);
});

test.each([
  ['a set that is gone', '', ['create cilium_node_set_v4 hash:ip', 'add cilium_node_set_v4 10.0.0.1']],
  ['an entry that is gone', 'create cilium_node_set_v4 hash:ip', ['add cilium_node_set_v4 10.0.0.1']],
  ['nothing', 'create cilium_node_set_v4 hash:ip\nadd cilium_node_set_v4 10.0.0.1', []],
])('of a set, %s is brought back', async (_what, now, lines) => {
  using programs = fakePrograms({
    ipset: `if [ "$1" = save ]; then printf '${now.replace('\n', '\\n')}\\n'; else sed 's/^/fed /' > ${'$'}(dirname $0)/fed; fi`,
  });
  writeFileSync(join(programs.path, 'fed'), '');
  const name = 'cilium_node_set_v4';
  const recorded = [`create ${name} hash:ip`, `add ${name} 10.0.0.1`];
  const changed = await restoreIpset(
    { bring: 'ipset', name, lines: recorded },
    systemRun({ PATH: programs.path }),
  );
  expect(changed).toBe(lines.length > 0);
  const fed = readFileSync(join(programs.path, 'fed'), 'utf8').split('\n').filter(Boolean);
  expect(fed).toEqual(lines.map((line) => `fed ${line}`));
});
