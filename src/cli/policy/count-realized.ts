import type { AgentClient } from '../../agent/client.ts';
import { listEndpointRows } from '../../agent/decode/endpoints.ts';
import { failed } from '../answer.ts';

/** Number of endpoints that have realized a policy revision, and that have failed to. */
export interface Realized {
  ready: number;
  failing: number;
  total: number;
  /** The endpoints that have not, each with its state. */
  late: string[];
}

/** Counts the endpoints of an agent's node that have realized a revision. */
export async function countRealized(revision: number, agent: AgentClient): Promise<Realized> {
  const endpoints = (await listEndpointRows(agent).catch(failed('cannot list endpoints'))).decode();
  const realized: Realized = { ready: 0, failing: 0, total: endpoints.length, late: [] };
  for (const { id, policyRevision, state } of endpoints) {
    if (policyRevision !== undefined && policyRevision >= revision && state === 'ready') {
      realized.ready++;
      continue;
    }
    if (policyRevision === undefined || state === undefined || state === 'not-ready') realized.failing++;
    realized.late.push(`endpoint ${id} is ${state ?? 'without a state'}`);
  }
  return realized;
}
