import { UserError } from '../../errors.ts';
import type { Dial } from '../../lib/dial.ts';
import type {
  AddressHealth,
  ClusterHealth,
  NodeHealth,
  PathHealth,
  ProbeHealth,
} from '../../model/health.ts';
import { parseAnswer, socketPath } from '../client.ts';
import { HttpClient } from '../http/http.ts';
import { Reader } from './reader.ts';

const DEFAULT_HEALTH_SOCKET = '/var/run/cilium/health.sock';

interface ProbeAnswer {
  lastProbed?: string;
  latency?: number;
  status?: string;
}
interface PathAnswer {
  http?: ProbeAnswer;
  icmp?: ProbeAnswer;
  ip?: string;
}
interface AddressAnswer {
  'primary-address'?: PathAnswer;
  'secondary-addresses'?: PathAnswer[];
}
interface NodeAnswer {
  name?: string;
  host?: AddressAnswer;
  'health-endpoint'?: AddressAnswer;
  /** Older daemons have only this. */
  endpoint?: PathAnswer;
}
interface HealthAnswer {
  local?: { name?: string };
  nodes?: NodeAnswer[];
  timestamp?: string;
  probeInterval?: string;
}

/** Asks the cilium-health daemon of this node, which listens on a socket of its own. */
export async function fetchClusterHealth(
  ctx: {
    env: Readonly<Record<string, string | undefined>>;
    signal: AbortSignal;
    globals: { elsewhere?: unknown };
    dial: Dial;
  },
  timeoutMs: number,
): Promise<ClusterHealth> {
  const socket = socketPath(ctx, 'CILIUM_HEALTH_SOCK', DEFAULT_HEALTH_SOCKET);
  const http = new HttpClient({ network: 'unix', target: socket }, ctx.dial);
  try {
    const path = '/v1beta/status';
    const call = `GET unix://${socket}${path}`;
    const response = await http.request({ method: 'GET', path, timeoutMs, signal: ctx.signal });
    if (response.status !== 200) throw new UserError(`${call}: answered ${response.status}`);
    return decodeClusterHealth(new Reader(call, parseAnswer(call, response.body.toString())));
  } finally {
    await http.close();
  }
}

/** Reads an answer of the health API; nodes sorted by name is up to the reader. */
function decodeClusterHealth(r: Reader<HealthAnswer>): ClusterHealth {
  return {
    self: r.has('local') ? r.at('local').text('name') : undefined,
    timestamp: r.text('timestamp'),
    probeInterval: r.text('probeInterval'),
    nodes: r.at('nodes').items().map(node),
  };
}

function node(r: Reader<NodeAnswer>): NodeHealth {
  const endpoint = r.at('health-endpoint');
  return {
    name: r.text('name'),
    host: address(r.at('host')),
    endpoint:
      address(endpoint) ??
      (r.has('endpoint') ? { primary: path(r.at('endpoint')), secondary: [] } : undefined),
  };
}

function address(r: Reader<AddressAnswer>): AddressHealth | undefined {
  if (!r.present) return undefined;
  const primary = r.at('primary-address');
  return {
    primary: primary.present ? path(primary) : null,
    secondary: r.at('secondary-addresses').items().map(path),
  };
}

function path(r: Reader<PathAnswer>): PathHealth {
  return { address: r.text('ip'), icmp: probe(r.at('icmp')), http: probe(r.at('http')) };
}

function probe(r: Reader<ProbeAnswer>): ProbeHealth | undefined {
  if (!r.present) return undefined;
  return { error: r.text('status'), latencyNs: r.integer('latency'), lastProbed: r.text('lastProbed') };
}
