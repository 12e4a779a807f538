import type { ClusterFacts, Finding } from '../../cluster/consistency.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

interface Looked {
  facts: ClusterFacts;
  gaps: readonly string[];
}

/** Where the parts of a cluster disagree, and what was compared. */
export function renderConsistency({ facts, gaps }: Looked, findings: readonly Finding[]): string {
  const counted = Object.entries(countsOf(facts)).map(([what, count]) => `${count} ${what}`);
  const compared = `Compared: ${counted.join(', ')}\n`;
  if (findings.length === 0)
    return `${compared}${gaps.length === 0 ? 'They agree.\n' : 'What could be compared agrees.\n'}`;
  const rows = findings.map(({ check, object, node, text }) =>
    [check, object, node === '' ? '-' : node, text].map(sanitizeCell).join('\t'),
  );
  return `${compared}\n${tabulate(`CHECK\tOBJECT\tNODE\tFINDING\n${rows.join('\n')}\n`, LIST_TABLE)}`;
}

/** The same for programs. */
export function consistencyDocument({ facts, gaps }: Looked, findings: readonly Finding[]): object {
  return { compared: countsOf(facts), findings, notCompared: gaps };
}

/** How many there are of what could be read. */
function countsOf(facts: ClusterFacts): Record<string, number> {
  const { pods, endpoints, slices, identities, nodes, ciliumNodes, agents } = facts;
  const asked = agents && [...agents.values()].filter((agent) => agent.endpoints).length;
  return Object.fromEntries(
    Object.entries({
      pods: pods?.length,
      CiliumEndpoints: endpoints?.length,
      'entries of slices': slices === 'none' ? undefined : slices?.length,
      CiliumIdentities: identities?.size,
      nodes: nodes?.length,
      CiliumNodes: ciliumNodes?.size,
      agents: asked,
    }).filter((pair): pair is [string, number] => pair[1] !== undefined),
  );
}
