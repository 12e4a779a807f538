import { type AgentClient, ApiError } from '../client.ts';
import { decodePolicy } from './policy.ts';
import type { Reader } from './reader.ts';
import type { Endpoint } from './types.gen.ts';

/** What decides about traffic, as the agent tells it. */
export interface AgentPolicyState {
  /** Identities, endpoints and addresses as they came: the evaluator takes what it understands of them. */
  identities: readonly unknown[];
  endpoints: readonly unknown[];
  ips: readonly unknown[];
  /** A JSON list: rules up to 1.18, entries from 1.19 on. */
  policy: string;
  enforcement: 'default' | 'always' | 'never';
  /** Whether pods accept all of their own node. */
  allowLocalhost: boolean;
}

/** Asks the agent for everything that its verdicts rest on. */
export async function readPolicyState(agent: AgentClient): Promise<AgentPolicyState> {
  const [identities, endpoints, policy, ips] = await Promise.all([
    agent.get('/identity'),
    agent.get('/endpoint'),
    agent.get('/policy'),
    agent.get('/ip').catch(whenMissing),
  ]);
  const config = await agent.get('/config').catch(whenMissing);
  const enforcement = config?.at('status').at('realized').text('policy-enforcement');
  return {
    identities: documents(identities),
    endpoints: documents(endpoints),
    ips: ips ? documents(ips) : [],
    policy: decodePolicy(policy).policy || '[]',
    enforcement: enforcement === 'always' || enforcement === 'never' ? enforcement : 'default',
    allowLocalhost: allowsLocalhost(endpoints),
  };
}

/** Accepts that the agent has no data or no such call. Other failures are errors: they would silently change verdicts. */
function whenMissing(error: unknown): undefined {
  if (error instanceof ApiError && (error.status === 404 || error.isUnknownPath)) return undefined;
  throw error;
}

function documents<I>(list: Reader<I[]>): unknown[] {
  return list.items().map((item) => item.fields());
}

/** The agent does not report `--allow-localhost`, but its maps show it. */
function allowsLocalhost(endpoints: Reader<Endpoint[]>): boolean {
  const closed = endpoints.items().flatMap((endpoint) => {
    const realized = endpoint.at('status').at('policy').at('realized');
    return ['ingress', 'both'].includes(realized.text('policy-enabled')) ? [realized] : [];
  });
  return closed.length > 0 && closed.every((each) => each.integers('allowed-ingress-identities').includes(1));
}
