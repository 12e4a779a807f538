import type { NodeGroups, NodeSubscribers } from '../../cluster/multicast.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** The rows of one node are an entry, with its name in the first. */
function table(header: string, nodes: readonly (readonly string[][])[], end: string): Table {
  const blocks = nodes.map((rows) => ({
    key: rows[0]?.[0] ?? '',
    lines: rows.map((cells) => `${cells.map(sanitizeCell).join('\t')}${end}`),
  }));
  return { headers: [header], blocks };
}

/** `multicast list group`. */
export function groupsTable(nodes: readonly NodeGroups[]): Table {
  const rows = nodes.map(({ node, groups }) =>
    groups?.length ? groups.map((group, i) => [i === 0 ? node : '', group]) : [[node, '']],
  );
  return table('Node\tGroup\t', rows, '\t');
}

/** `multicast list subscriber`. */
export function subscribersTable(nodes: readonly NodeSubscribers[]): Table {
  const rows = nodes.map(({ node, groups }) => {
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
