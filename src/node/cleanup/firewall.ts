import type { Item } from '../../model/cleanup.ts';
import type { FirewallTable, NodeState } from '../state/state.ts';
import { command, OWN_PIN } from './own.ts';

/** Chains and rules of every iptables variant, a table at a time, and ip sets. */
export function firewallItems({ firewall, ipsets }: NodeState): Item[] {
  const tables = firewall.flatMap((table): Item[] => {
    const own = ownFirewall(table);
    if (own.chains.length === 0 && own.feeders.length === 0) return [];
    const restore = `${table.program}-restore`;
    return [
      {
        id: `iptables ${table.program} ${table.table}`,
        kind: 'iptables',
        what: `${table.program} table ${table.table}: ${count(own.chains.length, 'chain')}, ${count(own.inside.length + own.feeders.length, 'rule')}`,
        why: 'the chains are named CILIUM_*, the other rules lead to them',
        remove: [command([restore, '--noflush'], removalScript(table.table, own))],
        restore: [command([restore, '--noflush'], restoreScript(table.table, own))],
        details: [
          ...own.chains.map((chain) => `:${chain}`),
          ...own.feeders.map(({ rule }) => rule),
          ...own.inside,
        ],
      },
    ];
  });
  const sets = ipsets
    .filter(({ name }) => OWN_PIN.test(name))
    .map(
      ({ name, saved }): Item => ({
        id: `ipset ${name}`,
        kind: 'ipset',
        what: `ipset ${name}`,
        why: 'its name starts with cilium_',
        remove: [command(['ipset', 'destroy', name])],
        restore: [command(['ipset', 'restore', '-exist'], saved)],
      }),
    );
  return [...tables, ...sets];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

const OWN_CHAIN = /^(?:OLD_)?CILIUM_/;

/** What of a table is Cilium's. */
interface OwnFirewall {
  chains: string[];
  /** Rules in its chains. */
  inside: string[];
  /** Rules in other chains that lead to its chains or carry its comment, with their place in the chain. */
  feeders: { rule: string; chain: string; position: number }[];
}

/** Picks what is Cilium's out of a table: its chains, and the rules elsewhere that jump to them or name it. */
function ownFirewall({ chains, rules }: FirewallTable): OwnFirewall {
  const own: OwnFirewall = {
    chains: chains.filter((chain) => OWN_CHAIN.test(chain)),
    inside: [],
    feeders: [],
  };
  const counts = new Map<string, number>();
  for (const rule of rules) {
    const chain = rule.split(' ')[1] ?? '';
    const position = (counts.get(chain) ?? 0) + 1;
    counts.set(chain, position);
    if (OWN_CHAIN.test(chain)) own.inside.push(rule);
    else if (/ -[jg] (?:OLD_)?CILIUM_/.test(rule) || /--comment "?cilium[-: ]/.test(rule))
      own.feeders.push({ rule, chain, position });
  }
  return own;
}

/** Input for `iptables-restore --noflush` that removes what is Cilium's and nothing else. */
function removalScript(table: string, own: OwnFirewall): string {
  return script(table, [
    ...own.feeders.map(({ rule }) => rule.replace(/^-A/, '-D')),
    ...own.chains.map((chain) => `-F ${chain}`),
    ...own.chains.map((chain) => `-X ${chain}`),
  ]);
}

/** Input for `iptables-restore --noflush` that brings it back, each feeder at its place. */
function restoreScript(table: string, own: OwnFirewall): string {
  return script(table, [
    ...own.chains.map((chain) => `:${chain} - [0:0]`),
    ...own.inside,
    ...own.feeders.map(({ rule, chain, position }) => rule.replace(`-A ${chain}`, `-I ${chain} ${position}`)),
  ]);
}

function script(table: string, lines: readonly string[]): string {
  return `*${table}\n${lines.join('\n')}\nCOMMIT\n`;
}
