import { parseAddress, parsePrefix } from '../../lib/address.ts';
import type { Path } from '../../model/finding.ts';
import { normalRules, RuleError } from '../policy/rules.ts';
import { hostPort } from './host-port.ts';
import type { Scenario } from './scenario.ts';

/** Something wrong with a scenario. */
export interface Problem {
  path: Path;
  text: string;
}

/** What a schema cannot say: names that must exist, numbers that must differ, addresses that must parse. */
export function checkScenario(scenario: Scenario): Problem[] {
  const problems: Problem[] = [];
  const report = (path: Path, text: string) => {
    problems.push({
      path,
      text: `${path
        .map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`))
        .join('')
        .slice(1)}: ${text}`,
    });
  };
  const nodes = scenario.nodes ?? [];
  const nodeNames = new Set(nodes.length > 0 ? nodes.map((node) => node.name) : ['node1']);
  const pods = new Set((scenario.endpoints ?? []).map((endpoint) => endpoint.pod));
  const services = new Set((scenario.services ?? []).map((service) => service.name));
  const unique = () => {
    const seen = new Set<unknown>();
    return (value: unknown, path: Path, what: string) => {
      if (value !== undefined && seen.has(value)) report(path, `${what} ${String(value)} is used twice`);
      seen.add(value);
    };
  };
  const address = (value: string | undefined, family: 4 | 6, path: Path) => {
    if (value !== undefined && parseAddress(value)?.family !== family)
      report(path, `"${value}" is not an IPv${family} address`);
  };
  const prefix = (value: string | undefined, family: 4 | 6, path: Path) => {
    if (value !== undefined && parsePrefix(value)?.family !== family)
      report(path, `"${value}" is not an IPv${family} prefix`);
  };
  const known = (name: string | undefined, names: ReadonlySet<string>, path: Path, what: string) => {
    if (name !== undefined && !names.has(name)) report(path, `there is no ${what} "${name}"`);
  };

  known(scenario.node, nodeNames, ['node'], 'node');
  const nodeOnce = unique();
  for (const [i, node] of nodes.entries()) {
    nodeOnce(node.name, ['nodes', i, 'name'], 'node');
    address(node.ipv4, 4, ['nodes', i, 'ipv4']);
    address(node.ipv6, 6, ['nodes', i, 'ipv6']);
    prefix(node.podCIDR, 4, ['nodes', i, 'podCIDR']);
    prefix(node.podCIDR6, 6, ['nodes', i, 'podCIDR6']);
  }
  const [podOnce, idOnce, addressOnce] = [unique(), unique(), unique()];
  for (const [i, endpoint] of (scenario.endpoints ?? []).entries()) {
    const at = (field: string): Path => ['endpoints', i, field];
    podOnce(endpoint.pod, at('pod'), 'pod');
    if (endpoint.id !== undefined)
      idOnce(`${endpoint.node ?? ''} ${endpoint.id}`.trim(), at('id'), 'endpoint id');
    addressOnce(endpoint.ipv4, at('ipv4'), 'address');
    addressOnce(endpoint.ipv6, at('ipv6'), 'address');
    address(endpoint.ipv4, 4, at('ipv4'));
    address(endpoint.ipv6, 6, at('ipv6'));
    known(endpoint.node, nodeNames, at('node'), 'node');
  }
  const serviceOnce = unique();
  for (const [i, service] of (scenario.services ?? []).entries()) {
    serviceOnce(service.id, ['services', i, 'id'], 'service id');
    for (const [j, backend] of (service.backends ?? []).entries()) {
      const { ip, port } = hostPort(backend.split('=')[0] ?? '');
      const path: Path = ['services', i, 'backends', j];
      if (Number.isNaN(port) || ip === '') report(path, `expected pod:PORT or IP:PORT, not "${backend}"`);
      else if (!parseAddress(ip)) known(ip, pods, path, 'pod');
    }
  }
  for (const [i, lookup] of (scenario.dns ?? []).entries())
    known(lookup.endpoint, pods, ['dns', i, 'endpoint'], 'pod');
  for (const [i, entry] of (scenario.ipcache ?? []).entries())
    if (!parsePrefix(entry.cidr)) report(['ipcache', i, 'cidr'], `"${entry.cidr}" is not a prefix`);
  for (const [i, cidr] of (scenario.prefilter?.deny ?? []).entries())
    if (!parsePrefix(cidr)) report(['prefilter', 'deny', i], `"${cidr}" is not a prefix`);
  for (const [i, rule] of (scenario.policies ?? []).entries()) {
    try {
      normalRules([rule]);
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      report(['policies', i], error.message.replace(/^rule 1: /, ''));
    }
  }
  for (const [i, traffic] of (scenario.traffic ?? []).entries()) {
    for (const field of ['from', 'to'] as const) {
      const peer = traffic[field];
      if (parseAddress(peer)) continue;
      const service = peer.startsWith('service/');
      known(
        service ? peer.slice('service/'.length) : peer,
        service ? services : pods,
        ['traffic', i, field],
        service ? 'service' : 'pod',
      );
    }
  }
  return problems;
}
