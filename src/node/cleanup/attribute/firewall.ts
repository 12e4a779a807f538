import type { Item } from '../../../model/cleanup.ts';
import { ownFirewall, removalScript, restoreScript } from '../../state/firewall.ts';
import type { NodeState } from '../../state/state.ts';
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
