import { usedInstead } from '../../bpf/kernel/usage.ts';
import { endpointOf } from '../../bpf/layouts/catalogue.ts';
import type { Diagnosis } from '../../model/doctor.ts';
import type { AgentFacts, KernelFacts, KnownEndpoint } from './facts.ts';

/** Map pressure in percent from which on a map is worth a warning, and from which it loses entries soon. */
const PRESSURE_WARNING = 80;
const PRESSURE_FAILURE = 95;
/** Identities that every agent knows without being asked. */
const RESERVED_BELOW = 256;

type Check = (kernel: KernelFacts, agent: AgentFacts) => Diagnosis[];

const AGREE = 'the agent and the kernel agree';
const NO_AGENT = 'the agent does not answer';
const NO_PROGRAMS = 'the agent loads no programs (dry mode, or a lab)';

/** Compares the agent with the kernel. Checks that need an agent are reported as skipped without one. */
export function runChecks(kernel: KernelFacts, agent: AgentFacts | undefined): Diagnosis[] {
  const withAgent: [string, Check][] = [
    ['policy maps', checkPolicyMaps],
    ['orphaned pins', checkOrphanedPins],
    ['endpoint map', checkEndpointMap],
    ['ipcache', checkIpcache],
    ['policy identities', checkPolicyIdentities],
  ];
  const withPrograms: [string, Check][] = [
    ['programs on endpoints', checkEndpointPrograms],
    ['socket load balancing', checkSocketLb],
  ];
  // Programs on this node are not those of an agent that loads none.
  const idle = agent?.dryMode === true ? NO_PROGRAMS : kernel.unlisted;
  const report = (name: string, found: Diagnosis[], fine: string) => reported(name, found, fine, kernel);
  return [
    ...report('pins', checkBrokenPins(kernel), `${kernel.maps.length} pinned maps can be read`),
    ...report('map pressure', checkPressure(kernel), 'no map is above 80 % of its capacity'),
    ...(idle
      ? skipped('stale pins', idle)
      : report('stale pins', checkStalePins(kernel), 'programs use the maps that are pinned')),
    ...withAgent.flatMap(([name, check]) =>
      agent ? report(name, check(kernel, agent), AGREE) : skipped(name, NO_AGENT),
    ),
    ...withPrograms.flatMap(([name, check]) => {
      if (!agent) return skipped(name, NO_AGENT);
      return idle ? skipped(name, idle) : report(name, check(kernel, agent), AGREE);
    }),
  ];
}

function skipped(check: string, what: string): Diagnosis[] {
  return [{ check, severity: 'skipped', what, evidence: [] }];
}

/** What was found; that nothing was is only told where something is known. */
function reported(check: string, found: Diagnosis[], fine: string, { untold }: KernelFacts): Diagnosis[] {
  if (found.length > 0) return found;
  const why = untold?.[check];
  return why === undefined ? [{ check, severity: 'ok', what: fine, evidence: [] }] : skipped(check, why);
}

function checkBrokenPins({ broken }: KernelFacts): Diagnosis[] {
  return broken.map(({ path, error }) => ({
    check: 'pins',
    severity: 'warning',
    what: `${path} cannot be opened`,
    evidence: [error],
    next: 'Look at the pin with "bpftool map show pinned PATH"; a pin of another program type may be harmless.',
  }));
}

function checkPressure({ maps }: KernelFacts): Diagnosis[] {
  return maps
    .filter(({ pressure = 0 }) => pressure >= PRESSURE_WARNING)
    .toSorted((a, b) => (b.pressure ?? 0) - (a.pressure ?? 0))
    .map(({ name, pressure = 0, entries, maxEntries, type }) => ({
      check: 'map pressure',
      severity: pressure >= PRESSURE_FAILURE && !type.startsWith('lru') ? 'failure' : 'warning',
      what: `${name} is ${pressure.toFixed(1)} % full`,
      evidence: [`${entries} of ${maxEntries} entries (${type})`],
      next: type.startsWith('lru')
        ? "The kernel throws out the oldest entries: raise bpf-map-dynamic-size-ratio or the map's own limit."
        : 'New entries will be refused when it is full: raise its limit (bpf-policy-map-max, bpf-lb-map-max …).',
    }));
}

/** A pin that no program uses although programs use another map of the same name was left by an earlier agent. */
function checkStalePins({ maps, usage }: KernelFacts): Diagnosis[] {
  return maps.flatMap((pin): Diagnosis[] => {
    const instead = usedInstead(pin, maps, usage);
    if (instead === undefined) return [];
    return [
      {
        check: 'stale pins',
        severity: 'failure',
        what: `programs use another map than the pinned ${pin.name}`,
        evidence: [`${pin.path} is map ${pin.id}`, `loaded programs use map ${instead} of that name`],
        next: 'What the CLI shows is not what packets meet: restart the agent so that it loads its programs anew.',
      },
    ];
  });
}

function label({ id, name }: KnownEndpoint): string {
  return name ? `endpoint ${id} (${name})` : `endpoint ${id}`;
}

const HOST = 1;

function checkPolicyMaps({ maps }: KernelFacts, { endpoints }: AgentFacts): Diagnosis[] {
  if (maps.length === 0) return [];
  const have = new Set(maps.filter(({ feature }) => feature === 'policy').map(({ endpoint }) => endpoint));
  return endpoints
    .filter(({ id, state }) => state === 'ready' && !have.has(id))
    .map((endpoint) => ({
      check: 'policy maps',
      severity: 'failure',
      what: `${label(endpoint)} is ready and has no policy map`,
      evidence: [`no pin named cilium_policy_*${String(endpoint.id).padStart(5, '0')}`],
      next: `Its traffic is not filtered as the agent believes: run "cilium endpoint log ${endpoint.id}", then restart the agent.`,
    }));
}

function checkOrphanedPins({ maps }: KernelFacts, { endpoints }: AgentFacts): Diagnosis[] {
  const ids = new Set(endpoints.map(({ id }) => id));
  const orphans = maps.filter(({ name }) => {
    const id = endpointOf(name);
    return id !== undefined && !ids.has(id);
  });
  if (orphans.length === 0) return [];
  return [
    {
      check: 'orphaned pins',
      severity: 'warning',
      what: `${orphans.length} pinned maps belong to endpoints that the agent does not know`,
      evidence: orphans.map(({ path }) => path),
      next: 'They hold memory and nothing else; the agent removes them when it starts.',
    },
  ];
}

function checkEndpointMap({ lxc, maps }: KernelFacts, { endpoints }: AgentFacts): Diagnosis[] {
  if (!maps.some(({ name }) => name === 'cilium_lxc')) return [];
  const ids = new Set(endpoints.map(({ id }) => id));
  const found: Diagnosis[] = [];
  for (const endpoint of endpoints.filter(({ identity, state }) => identity !== HOST && state === 'ready')) {
    for (const address of endpoint.addresses) {
      const entry = lxc.get(address);
      if (entry?.id === endpoint.id) continue;
      found.push({
        check: 'endpoint map',
        severity: 'failure',
        what: `${address} of ${label(endpoint)} ${entry ? `leads to endpoint ${entry.id}` : 'is not in cilium_lxc'}`,
        evidence: [
          entry
            ? `cilium_lxc: ${address} → endpoint ${entry.id}, ifindex ${entry.ifindex}`
            : `cilium_lxc has no key ${address}`,
        ],
        next: 'Packets to it are not delivered: restart the agent, which writes the map anew.',
      });
    }
  }
  for (const [address, { id }] of lxc) {
    if (id === 0 || ids.has(id)) continue;
    found.push({
      check: 'endpoint map',
      severity: 'warning',
      what: `cilium_lxc still leads ${address} to endpoint ${id}, which the agent does not know`,
      evidence: [`cilium_lxc: ${address} → endpoint ${id}`],
      next: `Remove it with "cilium bpf endpoint delete ${address}".`,
    });
  }
  return found;
}

function checkIpcache({ ipcache, maps }: KernelFacts, { endpoints }: AgentFacts): Diagnosis[] {
  if (!maps.some(({ name }) => name.startsWith('cilium_ipcache'))) return [];
  return endpoints
    .filter(({ identity, state }) => identity !== undefined && identity !== HOST && state === 'ready')
    .flatMap((endpoint) =>
      endpoint.addresses.map((address) => ({
        endpoint,
        prefix: `${address}/${address.includes(':') ? 128 : 32}`,
      })),
    )
    .filter(({ endpoint, prefix }) => ipcache.get(prefix) !== endpoint.identity)
    .map(({ endpoint, prefix }) => ({
      check: 'ipcache',
      severity: 'failure',
      what: `${prefix} of ${label(endpoint)} has identity ${ipcache.get(prefix) ?? 'none'} in the ipcache, not ${endpoint.identity}`,
      evidence: [
        ipcache.has(prefix)
          ? `cilium_ipcache: ${prefix} → ${ipcache.get(prefix)}`
          : `cilium_ipcache has no key ${prefix}`,
      ],
      next: 'Policies of other endpoints see the wrong identity: compare "cilium ip list", then restart the agent.',
    }));
}

function checkPolicyIdentities(
  { policyIdentities }: KernelFacts,
  { identities, endpoints }: AgentFacts,
): Diagnosis[] {
  if (!identities) return [];
  const ids = new Set(endpoints.map(({ id }) => id));
  return [...policyIdentities]
    .filter(([endpoint]) => ids.has(endpoint))
    .map(
      ([endpoint, present]) =>
        [endpoint, [...present].filter((id) => id >= RESERVED_BELOW && !identities.has(id))] as const,
    )
    .filter(([, unknown]) => unknown.length > 0)
    .map(([endpoint, unknown]) => ({
      check: 'policy identities',
      severity: 'warning',
      what: `the policy map of endpoint ${endpoint} has ${unknown.length} identities that the agent does not know`,
      evidence: unknown.slice(0, 20).map((id) => `identity ${id}`),
      next: `Compare "cilium bpf policy get ${endpoint} -n" with "cilium identity list"; the agent's next policy sync removes them.`,
    }));
}

function checkEndpointPrograms(
  { links, programs, lxc }: KernelFacts,
  { endpoints }: AgentFacts,
): Diagnosis[] {
  const names = new Map(programs.map(({ id, name }) => [id, name]));
  const served = new Set(
    links.filter(({ programId }) => names.get(programId)?.startsWith('cil_')).map(({ ifindex }) => ifindex),
  );
  // Without a single link on a device the agent attaches by tc filters, which links do not show.
  if (![...served].some((ifindex) => ifindex !== undefined)) return [];
  return endpoints
    .filter(({ ifindex, identity, state }) => ifindex && identity !== HOST && state === 'ready')
    .filter(
      ({ ifindex }) => !served.has(ifindex) && [...lxc.values()].some((entry) => entry.ifindex === ifindex),
    )
    .map((endpoint) => ({
      check: 'programs on endpoints',
      severity: 'failure',
      what: `no program of Cilium is attached to the device of ${label(endpoint)}`,
      evidence: [`no tcx or netkit link on ifindex ${endpoint.ifindex}`],
      next: `Its policy is not enforced: run "cilium endpoint log ${endpoint.id}", then restart the agent.`,
    }));
}

function checkSocketLb({ programs, untold }: KernelFacts, { socketLb }: AgentFacts): Diagnosis[] {
  if (untold || !socketLb || programs.some(({ name }) => name.startsWith('cil_sock'))) return [];
  return [
    {
      check: 'socket load balancing',
      severity: 'failure',
      what: 'the agent balances at the socket, but no cil_sock* program is loaded',
      evidence: ['no cgroup link or program of that name'],
      next: 'Services are not reachable from the host: restart the agent and look at its log for "socketlb".',
    },
  ];
}
