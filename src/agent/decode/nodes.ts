import type { NodeIdRow, NodeRow } from '../../model/node.ts';
import type { AgentClient } from '../client.ts';
import { Answer, listAnswer } from './answer.ts';
import type { Reader } from './reader.ts';
import type { NodeElement } from './types.gen.ts';

/** The nodes of the cluster, and the name of the one that the agent runs on. */
export interface ClusterNodes {
  self: string;
  nodes: NodeRow[];
}

/** The nodes that the agent knows; the document is their list, undefined when the agent sent none. */
export async function listNodes(agent: AgentClient): Promise<Answer<ClusterNodes>> {
  const answer = await agent.get('/cluster/nodes');
  const added = answer.at('nodes-added');
  const document = added.present ? added.document : undefined;
  return new Answer(document, 'NodeElement[]', () => ({
    self: answer.text('self'),
    nodes: added.items().map(decodeNode),
  }));
}

function decodeNode(node: Reader<NodeElement>): NodeRow {
  const ipv4 = node.at('primary-address').at('ipv4');
  const ipv6 = node.at('primary-address').at('ipv6');
  return {
    name: node.text('name'),
    ipv4: ipv4.text('ip'),
    ipv4Range: ipv4.text('alloc-range'),
    ipv6: ipv6.text('ip'),
    ipv6Range: ipv6.text('alloc-range'),
    source: node.text('source'),
  };
}

/** The numbers that the datapath knows nodes by. */
export function listNodeIds(agent: AgentClient): Promise<Answer<NodeIdRow[]>> {
  return listAnswer(agent.get('/node/ids'), 'NodeID[]', (answer) =>
    answer.items().map((node) => ({ id: node.integer('id'), ips: node.texts('ips') })),
  );
}
