import type { NodeGroups, NodeSubscribers } from '../../cluster/multicast.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

function table(header: string, rows: readonly string[][], end: string): string {
  const lines = rows.map((cells) => `${cells.map(sanitizeCell).join('\t')}${end}`);
  return tabulate(`${[header, ...lines].join('\n')}\n`, LIST_TABLE);
}

/** `multicast list group`. */
export function renderGroups(nodes: readonly NodeGroups[]): string {
  const rows = nodes.flatMap(({ node, groups }) =>
    groups?.length ? groups.map((group, i) => [i === 0 ? node : '', group]) : [[node, '']],
  );
  return table('Node\tGroup\t', rows, '\t');
}

/** `multicast list subscriber`. */
export function renderSubscribers(nodes: readonly NodeSubscribers[]): string {
  const rows = nodes.flatMap(({ node, groups }) => {
    const own = (groups ?? []).flatMap(({ group_address: group, subscribers }) =>
      subscribers?.length
        ? subscribers.map(({ SAddr, IsRemote }, i) => [
            i === 0 ? group : '',
            SAddr,
            IsRemote ? 'Remote Node' : 'Local Endpoint',
          ])
        : [[group, '', '']],
    );
    return (own.length > 0 ? own : [['', '', '']]).map((cells, i) => [i === 0 ? node : '', ...cells]);
  });
  return table('Node\tGroup\tSubscriber\tType', rows, '');
}

/** How many nodes were added to a group on a node, and which. */
export function renderAdded(group: string, node: string, added: readonly string[]): string {
  if (added.length === 0) return `No available nodes to be added to multicast group ${group} in ${node}\n`;
  const many = added.length === 1 ? 'a node' : `${added.length} nodes`;
  return `Added ${many} (${added.join(', ')}) to multicast group ${group} in ${node}\n`;
}
