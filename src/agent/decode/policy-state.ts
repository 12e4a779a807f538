import { parseRelease, type Release } from '../../model/release.ts';
import { type AgentClient, ApiError } from '../client.ts';
import { decodePolicy } from './policy.ts';
import type { Reader } from './reader.ts';
import type { DaemonConfiguration, Endpoint } from './types.gen.ts';

/** What decides about traffic, as the agent tells it. */
export interface AgentPolicyState {
  /** Identities, endpoints and addresses as they came: the evaluator takes what it understands of them. */
  identities: readonly unknown[];
  endpoints: readonly unknown[];
  ips: readonly unknown[];
  services: readonly unknown[];
  /** Undefined: the agent does not say. */
  hostFirewall: boolean | undefined;
  /** Whether both address families are in use. Undefined: the agent does not say. */
  dualStack: boolean | undefined;
  release: Release | undefined;
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
  const [config, health, services] = await Promise.all([
    agent.get('/config').catch(whenMissing),
    agent.get('/healthz').catch(whenMissing),
    agent.get('/service').catch(whenMissing),
  ]);
  const enforcement = config?.at('status').at('realized').text('policy-enforcement');
  return {
    identities: documents(identities),
    endpoints: documents(endpoints),
    ips: ips ? documents(ips) : [],
    services: services ? documents(services) : [],
    hostFirewall: isOn(health?.at('host-firewall').text('mode')),
    dualStack: usesBothFamilies(config),
    release: parseRelease(health?.at('cilium').text('msg') ?? ''),
    policy: decodePolicy(policy).policy || '[]',
    enforcement: enforcement === 'always' || enforcement === 'never' ? enforcement : 'default',
    allowLocalhost: allowsLocalhost(endpoints),
  };
}

function isOn(mode: string | undefined): boolean | undefined {
  return mode === undefined || mode === '' ? undefined : mode === 'Enabled';
}

function usesBothFamilies(config: Reader<DaemonConfiguration> | undefined): boolean | undefined {
  const addressing = config?.at('status').at('addressing');
  if (!addressing?.present) return undefined;
  return addressing.at('ipv4').flag('enabled') && addressing.at('ipv6').flag('enabled');
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
