import { createServer, type Server } from 'node:http';
import { joinHostPort } from '../../lib/address.ts';
import type { Agent } from '../agent/agent.ts';
import { fullStatus } from '../agent/status.ts';
import { derivedNumber } from '../derive.ts';
import { encode } from './server.ts';

const BASE_PATH = '/v1beta';
const PROBE_INTERVAL = '1m36.566274746s';

/** Serves the health API: what the node's prober found out about the others. Not listening yet. */
export function healthServer(agent: Agent): Server {
  return createServer((request, response) => {
    request.resume();
    const [path = ''] = (request.url ?? '').split('?');
    const answer = answers(agent)[`${request.method} ${path}`];
    const body = Buffer.from(
      encode(answer ? answer() : { code: 404, message: `path ${path} was not found` }),
    );
    response.writeHead(answer ? 200 : 404, {
      'content-type': 'application/json',
      'content-length': body.length,
    });
    response.end(body);
  });
}

function answers(agent: Agent): Record<string, () => unknown> {
  return {
    [`GET ${BASE_PATH}/status`]: () => healthStatus(agent),
    [`PUT ${BASE_PATH}/status/probe`]: () => healthStatus(agent),
    [`GET ${BASE_PATH}/healthz`]: () => ({
      cilium: fullStatus(agent),
      uptime: `${((agent.nowMs() - agent.startedMs) / 1000).toFixed(3)}s`,
      'system-load': { last1min: '0.10', last5min: '0.10', last15min: '0.10' },
    }),
  };
}

function healthStatus(agent: Agent) {
  const now = agent.nowMs();
  const probe = (ip: string, outcome: string, what: string) => {
    const one = (kind: 'http' | 'icmp') => {
      const ago = 1000 * derivedNumber(60, ip, kind);
      const lastProbed = new Date(Math.max(agent.startedMs, now - ago)).toISOString().replace(/\.\d+/, '');
      if (outcome !== 'ok' && (kind === 'http' || outcome === 'timeout'))
        return { lastProbed, status: kind === 'icmp' ? 'Connection timed out' : errorOf(ip, outcome) };
      return { lastProbed, latency: 150_000 + derivedNumber(800_000, ip, kind, what) };
    };
    return { ip, icmp: one('icmp'), http: one('http') };
  };
  return {
    local: { name: agent.world.self.fullName },
    nodes: agent.world.nodes.map((node) => {
      const paths = (outcome: string, first: string, second: string | undefined, what: string) => ({
        'primary-address': probe(first, outcome, what),
        ...(second && { 'secondary-addresses': [probe(second, outcome, what)] }),
      });
      const endpoint = paths(
        node.health.endpoint,
        node.healthEndpoint.ipv4,
        node.healthEndpoint.ipv6,
        'endpoint',
      );
      return {
        name: node.fullName,
        endpoint: endpoint['primary-address'],
        'health-endpoint': endpoint,
        host: paths(node.health.node, node.ipv4, node.ipv6, 'host'),
      };
    }),
    probeInterval: PROBE_INTERVAL,
    timestamp: new Date(now).toISOString().replace(/\.\d+/, ''),
  };
}

function errorOf(ip: string, outcome: string): string {
  if (outcome !== 'timeout') return outcome;
  return `Get "http://${joinHostPort(ip, 4240)}/hello": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`;
}
