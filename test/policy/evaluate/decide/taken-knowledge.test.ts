import { describe, expect, test } from '@jest/globals';
import { formatLabel } from '../../../../src/model/label.ts';
import { atLeast, KNOWN_RELEASES, type Release } from '../../../../src/model/release.ts';
import type { Answer } from '../../../../src/policy/evaluate/decide/decide.ts';
import { Peers, parsePort } from '../../../../src/policy/evaluate/decide/peers.ts';
import { balancedBy, decideWanted } from '../../../../src/policy/evaluate/decide/services.ts';
import {
  NEWEST_NEEDED,
  needsNewest,
  type Settings,
} from '../../../../src/policy/evaluate/decide/settings.ts';
import { parsePolicies } from '../../../../src/policy/read/policies.ts';
import type { SourcedRule } from '../../../../src/policy/rule.ts';
import { FULL, OLD, POLICIES, TIERED } from '../../made-cluster.ts';
import { copyOf, TAKEN } from '../../taken.ts';
import {
  engineOf,
  type Known,
  labWorld,
  readState,
  recordedSets,
  recordedWorld,
  type World,
} from '../../worlds.ts';

const MADE_ENDS = [
  'shop/web-0',
  'shop/api-0',
  'data/db-0',
  'kube-system/dns-0',
  '10.0.0.1',
  '10.0.0.3',
  '10.96.0.10',
  '10.96.0.20',
  '172.18.0.2',
  '192.0.2.9',
  '198.51.100.7',
  '16777217',
  '192.0.2.0/24',
  '198.51.100.0/24',
];
const ALWAYS = [
  '203.0.113.7',
  '2001:db8::1',
  'host',
  'remote-node',
  'world',
  'health',
  'kube-apiserver',
  'fqdn:api.example.com',
];
const MADE_PORTS = [
  '80/TCP',
  '22/TCP',
  '53/UDP',
  '5353/UDP',
  '8080/TCP',
  '9090/TCP',
  '30080/TCP',
  '80/SCTP',
  '8/ICMP',
];

/** Whom and what is asked for in a cluster. */
interface Asked {
  ends: readonly string[];
  ports: readonly string[];
}

type Answers = ReadonlyMap<string, Answer | 'error'>;

function answersOf(rules: readonly SourcedRule[], known: Known, { ends, ports }: Asked): Answers {
  const engine = engineOf(known, rules);
  const peers = new Peers(engine, known.state);
  const found = new Map<string, Answer | 'error'>();
  const byName = new Map(ends.map((end) => [end, findOrNot(peers, end)]));
  for (const [from, source] of byName)
    for (const [to, destination] of byName)
      for (const port of ports) {
        const probe = `${from} -> ${to} ${port}`;
        if (from === to) continue;
        if (!source || !destination) {
          found.set(probe, 'error');
          continue;
        }
        const traffic = parsePort(port);
        const balanced = balancedBy(peers, destination, traffic);
        const wanted = { source: source.identity, destination: destination.identity, traffic, balanced };
        found.set(probe, decideWanted(engine, wanted).answer);
      }
  return found;
}

function findOrNot(peers: Peers, end: string): ReturnType<Peers['find']> | undefined {
  try {
    return peers.find(end);
  } catch {
    return undefined;
  }
}

/** Without any address of a pod an address stands for itself: nothing can tell whose it is. */
const OF_CLUSTER = /(^|-> )(10|172|192\.168|f[de])[.\d:]/;

/** A certain answer must be the one that is given when everything is known. */
function contradictions(full: Answers, less: Answers): string[] {
  return [...less].flatMap(([probe, answer]) => {
    const known = full.get(probe);
    const certain = answer === 'allowed' || answer === 'denied';
    return certain && known !== 'error' && known !== answer
      ? [`${probe}: ${answer}, with more knowledge ${known}`]
      : [];
  });
}

/** The releases whose agents can have such a state. */
function releasesOf({ state, settings }: Known): readonly Release[] {
  const first = needsNewest(settings)
    ? NEWEST_NEEDED
    : state.identities.some(({ id }) => id === WORLD_IPV4 || id === WORLD_IPV6)
      ? '1.15'
      : '1.9';
  return KNOWN_RELEASES.filter((release) => atLeast(release, first));
}

const [WORLD_IPV4, WORLD_IPV6] = [9, 10];

/** The world, with everything taken away in turn: what is wrong then, by piece. */
function wrongIn(
  world: Known,
  rules: readonly SourcedRule[],
  asked: Asked,
  pieces = TAKEN,
): Record<string, string[]> {
  const full = answersOf(rules, world, asked);
  const wrong: Record<string, string[]> = {};
  for (const [piece, take] of pieces) {
    const known = copyOf(world);
    take(known);
    const less = answersOf(rules, known, asked);
    const wholes =
      piece === 'the release'
        ? releasesOf(world).map((release) =>
            answersOf(rules, { ...world, settings: { ...world.settings, release } }, asked),
          )
        : [full];
    const found = wholes
      .flatMap((whole) => contradictions(whole, less))
      .filter((probe) => piece !== 'addresses' || !OF_CLUSTER.test(probe));
    if (found.length > 0) wrong[piece] = found.slice(0, 3);
  }
  expect([...full.values()]).toContain('allowed');
  return wrong;
}

async function rulesOf(text: string): Promise<SourcedRule[]> {
  const { rules, findings } = await parsePolicies([{ file: 'policy.yaml', text }], { readAll: true });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return rules;
}

const FEW_PORTS = ['80/TCP', '53/UDP', '30080/TCP', '80/SCTP'];
const ofReleases = TAKEN.filter(([piece]) => piece === 'the release');
const ONE_FAMILY = /toCIDR: \[(0\.0\.0\.0|"::)\/0|anywhere, except: \["2001/;

describe('with one piece of knowledge taken away, no certain answer turns out wrong', () => {
  const inMadeCluster = async (
    text: string,
    settings: Partial<Settings> = {},
    cluster = FULL,
    pieces = TAKEN,
    ports = MADE_PORTS,
  ) => {
    const world = await readState(cluster);
    const labels = [1001, 1002].map(
      (id) => FULL.identities.find((each) => each.id === id)?.labels.join(',') ?? '',
    );
    const asked = { ends: [...MADE_ENDS, ...ALWAYS, ...labels], ports };
    const known = { ...world, settings: { ...world.settings, ...settings } };
    expect(wrongIn(known, await rulesOf(text), asked, pieces)).toEqual({});
  };

  test.each(POLICIES)('in a cluster made for it: %s', (_, text) => inMadeCluster(text));

  // Releases before 1.15 take all IPv4 and all IPv6 addresses for the same; they are never assumed (docs/policy-evaluator.md).
  test.each(POLICIES.filter(([, text]) => !ONE_FAMILY.test(text)))(
    'in one of an older release: %s',
    (_, text) => inMadeCluster(text, {}, OLD, ofReleases, FEW_PORTS),
  );

  test.each(TIERED)('in one whose agents read ClusterNetworkPolicy: %s', (_, text) =>
    inMadeCluster(text, { release: '1.20', clusterNetworkPolicy: true, nodeLabels: true }),
  );

  test.each(POLICIES)('in one whose CIDR rules select nodes and pods: %s', (_, text) =>
    inMadeCluster(text, { release: '1.20', cidrMatchMode: ['nodes', 'pods'] }, FULL, TAKEN, FEW_PORTS),
  );

  test.each(['agent-1.10', 'agent-1.14', 'agent-1.20', 'agent-1.20-release'])(
    'at the agent of %s',
    async (name) => {
      const world = await recordedWorld(name);
      expect(wrongIn(world, world.rules, askedIn(world))).toEqual({});
    },
  );

  test.each(['shop', 'incident', 'beginners-guide'])("in the lab's scenario %s", async (scenario) => {
    const world = await labWorld(scenario);
    expect(wrongIn(world, world.rules, askedIn(world))).toEqual({});
  });

  test.each([
    ['policy-maps-1.10', '1.10', 4],
    ['policy-maps-1.17', '1.17', 2],
    ['policy-maps-1.20-release', '1.20', 2],
  ] as const)('with the sets of rules of %s', async (name, release, step) => {
    const worlds = (await recordedSets(name, release)).filter((_, n) => n % step === 0);
    expect(worlds.length).toBeGreaterThan(5);
    for (const world of worlds)
      expect([world.name, wrongIn(world, world.rules, askedIn(world, 2))]).toEqual([world.name, {}]);
  });
});

/** Pods, nodes, services and prefixes of a recorded cluster, and ports of its rules. */
function askedIn({ state, rules }: World, most = 3): Asked {
  const pods = state.identities.filter(({ id }) => isPod(id)).map(({ labels }) => labels.map(formatLabel));
  const own = pods.map((labels) => labels.filter((label) => !label.includes('io.cilium.')));
  const hosts = state.addresses.filter(({ cidr }) => /\/(32|128)$/.test(cidr));
  const ofPods = hosts.filter(({ identity }) => isPod(identity));
  const ofOthers = hosts.filter(({ identity }) => !isPod(identity) && identity < 1 << 24);
  // An address outside the private blocks counts as one outside the cluster where no service is known that has it.
  const services = state.objects.services.flatMap(({ ips }) => ips.filter(({ outer }) => !outer));
  const text = JSON.stringify(rules.map(({ rule }) => rule));
  const found = (pattern: RegExp) => [...text.matchAll(pattern)].flatMap(([, value]) => value ?? []);
  const prefixes = ofPods.length > 0 ? found(/"(\d+\.\d+\.\d+\.\d+)\/\d+/g) : [];
  const names = found(/"matchName":"([^"]+)"/g).map((name) => `fqdn:${name}`);
  const ports = [
    ...found(/"port":"(\d+)"/g).slice(0, most),
    ...state.objects.services.flatMap((service) => service.ports.map(({ port }) => String(port))).slice(0, 1),
  ];
  const outer = new Set(state.objects.services.flatMap(({ ips }) => ips.map(({ address }) => address)));
  const some = (list: readonly string[]) => [...new Set(list)].slice(0, most);
  return {
    ends: [
      ...new Set([
        ...some([...state.pods.keys()]),
        ...some(pods.map((labels) => labels.join(','))),
        ...some(own.map((labels) => labels.join(','))),
        ...some(ofPods.map(({ cidr }) => cidr.replace(/\/\d+$/, ''))),
        ...some(ofOthers.map(({ cidr }) => cidr.replace(/\/\d+$/, ''))),
        ...some(services.map(({ address }) => address)),
        ...some(prefixes),
        ...some(names),
        ...ALWAYS.filter((end) => !outer.has(end)),
      ]),
    ],
    ports: [...new Set([...ports.map((port) => `${port}/TCP`), '9/UDP', '8/ICMP', '30080/TCP'])],
  };
}

function isPod(id: number): boolean {
  return id >= 100 && id < 1 << 24;
}
