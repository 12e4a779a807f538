import type { CatalogueRow, Expected } from './catalogue.ts';
import { expectationOf } from './expectation.ts';
import { type External, sniPatterns } from './external.ts';
import { type Features, unmetNeed } from './features.ts';
import { type Filling, missingPlaces, type PolicyDocument, policyDocument, WITH_RANGES } from './objects.ts';
import type { Action, Actions, TestPod } from './plan.ts';
import { ping } from './plan.ts';
import { isInRange } from './version-range.ts';

/** Makes the actions of a scenario, without expectations; or says why there are none here. */
type Scenario = (actions: Actions) => Action[] | string;

const NO_TARGET = 'no external target: --external-target';

/** Scenarios that can be run. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'pod-to-pod': (a) => pairs(a.clients(), a.echoes(), (from, to) => a.toPod(from, to)),
  'pod-to-pod-with-endpoints': (a) =>
    pairs(a.clients(), a.echoes(), (from, to) =>
      ['/', '/public', '/private'].flatMap((path) =>
        a.toPod(from, to, { path }).map((one) => ({ ...one, name: `${one.name}${path}` })),
      ),
    ),
  'client-to-client': (a) =>
    pairs(a.clients(), a.clients(), (from, to) => (from.pod === to.pod ? [] : pingPod(from, to))),
  'pod-to-service': (a) =>
    a.clients().flatMap((from) => a.world.services.map((one) => a.toService(from, one))),
  'pod-to-host': (a) => a.clients().flatMap((from) => a.world.nodes.flatMap((node) => a.toHost(from, node))),
  'pod-to-remote-nodeport': (a) => nodePorts(a, (from, node) => from.node !== node),
  'pod-to-local-nodeport': (a) => nodePorts(a, (from, node) => from.node === node),
  'pod-to-itself-via-service': (a) =>
    a
      .echoes()
      .flatMap((from) =>
        a.world.services.filter(({ name }) => name === from.name).map((one) => a.toService(from, one)),
      ),
  'pod-to-world': (a) => {
    const { name } = a.world.external;
    if (name === undefined) return NO_TARGET;
    return a
      .clients()
      .flatMap((from) => [
        a.toWorld(from, name, { scheme: 'http' }),
        a.toWorld(from, name),
        a.toWorld(from, name, { path: '/index.html' }),
      ]);
  },
  'pod-to-world-2': (a) => {
    const { otherName } = a.world.external;
    if (otherName === undefined) return 'no second external target: --external-other-target';
    return a.clients().map((from) => a.toWorld(from, otherName, { isOther: true }));
  },
  'pod-to-cidr': (a) => {
    const made = a.clients().flatMap((from) => a.toExternalAddresses(from));
    return made.length > 0
      ? made
      : 'no external addresses: --external-cidr, --external-ip, --external-other-ip';
  },
};

function pairs<A, B>(left: readonly A[], right: readonly B[], make: (a: A, b: B) => Action[]): Action[] {
  return left.flatMap((a) => right.flatMap((b) => make(a, b)));
}

function pingPod(from: TestPod, to: TestPod): Action[] {
  const [ip] = to.ips;
  if (ip === undefined) return [];
  return [
    {
      name: 'ping-ipv4',
      from,
      to: { kind: 'pod', name: `${to.namespace}/${to.pod}`, ip, node: to.node },
      argv: ping(ip),
      expect: { exit: 0 },
    },
  ];
}

function nodePorts(a: Actions, isMeant: (from: TestPod, node: string) => boolean): Action[] | string {
  const { services, nodes } = a.world;
  if (services.every(({ nodePort }) => nodePort === undefined))
    return 'the services have no ports of nodes: --service-type';
  return a
    .clients()
    .flatMap((from) =>
      nodes
        .filter(({ name }) => isMeant(from, name))
        .flatMap((node) => services.flatMap((one) => a.toNodePort(from, node, one))),
    );
}

const OK: Expected = ['OK', 'OK'];
const isClient2 = ({ from }: Action) => from.labels.other === 'client';
const isClient = ({ from }: Action) => from.name === 'client';
const isToSame = ({ to }: Action) => to.name.includes('/echo-same-node-');
const isOutside = ({ to }: Action) => to.kind === 'world';
const isPing = ({ argv }: Action) => argv[0] === 'ping';

/** Which of its expectations a row has of an action, by name; rows with one have it of all. */
const PICKS: Readonly<Record<string, (action: Action, all: readonly Expected[]) => Expected | undefined>> = {
  'client-ingress': (action, [other, rest]) => (isClient2(action) ? other : rest),
  'client-ingress-knp': (action, [other, rest]) => (isClient2(action) ? other : rest),
  'all-ingress-deny': (action, [ok, drop]) => (isOutside(action) ? ok : drop),
  'all-ingress-deny-knp': (action, [ok, drop]) => (isOutside(action) ? ok : drop),
  'client-ingress-icmp': (action, [other, rest]) => (isClient2(action) ? other : rest),
  'client-ingress-from-other-client-icmp-deny': (action, [drop, ok]) =>
    isClient2(action) && isPing(action) ? drop : ok,
  'to-cidr-external': (action, [drop, ok]) => (action.to.isOther ? drop : ok),
  'to-cidr-external-knp': (action, [drop, ok]) => (action.to.isOther ? drop : ok),
  'client-egress-to-cidr-deny': (action, [drop, ok]) => (action.to.isOther ? drop : ok),
  'client-egress-to-cidr-deny-default': (action, [deny, notAllowed]) =>
    action.to.isOther ? deny : notAllowed,
  'client-egress-l7': (action, all) => egressL7(action, all),
  'client-egress-l7-named-port': (action, all) => egressL7(action, all),
  // All pods are of the cluster that the tests run in.
  'policy-local-cluster-egress': (_, [ok]) => ok,
  'to-fqdns': (action, all) => names(action, all),
  'to-fqdns-with-proxy': (action, all) => names(action, all),
  'echo-ingress': (action, [drop, ok]) => (isClient2(action) ? ok : drop),
  'echo-ingress-knp': (action, [drop, ok]) => (isClient2(action) ? ok : drop),
  'client-egress-to-echo-service-account': (action, [ok, drop]) => (isToSame(action) ? ok : drop),
  'to-entities-world': (action, [ok, drop]) => (action.to.port === 80 ? ok : drop),
  'echo-ingress-from-other-client-deny': (action, [drop, ok]) =>
    isClient2(action) && !isPing(action) ? drop : ok,
  'client-egress-to-echo-deny': (action, [drop, ok]) => (isPing(action) ? ok : drop),
  'client-ingress-to-echo-named-port-deny': (action, [drop, ok]) => (isClient(action) ? drop : ok),
  'client-egress-to-echo-expression-deny': (action, [drop, ok]) => (isClient2(action) ? drop : ok),
  'client-with-service-account-egress-to-echo-deny': (action, [drop, ok]) => (isClient(action) ? drop : ok),
  'client-egress-to-echo-service-account-deny': (action, [drop, ok]) => (isToSame(action) ? drop : ok),
  'echo-ingress-l7': (action) => l7(action),
  'echo-ingress-l7-named-port': (action) => l7(action),
  'client-egress-l7-method': (action, [, drop]) => (isClient2(action) ? OK : drop),
};

/** Of policies for names in TLS: the port that they are about, and others. */
const byTls = (action: Action, [tls, rest]: readonly Expected[]) => (action.to.port === 443 ? tls : rest);

/** client2 may GET the root of the servers, and of the name outside by HTTP alone. */
function egressL7(action: Action, [refused, drop]: readonly Expected[]): Expected | undefined {
  if (!isClient2(action) || (isOutside(action) && action.to.port !== 80)) return drop;
  return action.path === '/' ? OK : refused;
}

/** The name outside may be reached by HTTP alone, the other one not at all. */
function names({ to, path }: Action, [drop, refused, timeout]: readonly Expected[]): Expected | undefined {
  if (to.isOther) return drop;
  if (to.port !== 80) return timeout;
  return path === '/' ? OK : refused;
}

function l7(action: Action): Expected {
  if (!isClient2(action)) return ['Drop', 'DefaultDenyIngressDrop'];
  return action.path === '/private' ? ['DropCurlHTTPError', 'None'] : OK;
}

/** Rows whose scenarios alone are not all that they check. */
const MORE: Readonly<Record<string, string>> = {
  'allow-all-with-metrics-check': 'its check of metrics is not there',
};

/** What can be done with a row here. */
export type RowPlan =
  | {
      kind: 'run';
      row: CatalogueRow;
      policies: readonly string[];
      scenarios: PlannedScenario[];
      left: Left[];
    }
  | { kind: 'skip'; row: CatalogueRow; reason: string }
  | { kind: 'not-run'; row: CatalogueRow; reason: string };

export interface Left {
  name: string;
  reason: string;
}

export interface PlannedScenario {
  name: string;
  actions: Action[];
}

/** Scenarios that ask the agents and run no command in a pod. */
export const AGENT_SCENARIOS: ReadonlySet<string> = new Set(['cilium-health']);

/** Conditions of rows that can be told; where another stands, the row is skipped as by the reference. */
const CONDITIONS: Readonly<Record<string, (external: External) => boolean>> = {
  differentExternalTargets: ({ name, otherName }) => otherName !== undefined && otherName !== name,
  wildcardPatternOperableTarget: (external) => sniPatterns(external) !== undefined,
};

/** What the plan of a row rests on. */
export interface RowWorld {
  actions: Actions;
  features: Features;
  version: string | undefined;
  policies: Readonly<Record<string, PolicyDocument>>;
  filling: Filling;
  isWanted: (scenario: string) => boolean;
}

/** The rows of the catalogue, and the second ones that run the same with ranges of ports. */
export function withRangeRows(rows: readonly CatalogueRow[]): CatalogueRow[] {
  return rows.flatMap((row) => {
    if (row.also === undefined) return [row];
    const policies = (row.policies ?? []).map((name) => `${name}${WITH_RANGES}`);
    return [row, { ...row, name: `${row.name}${WITH_RANGES}`, versions: '>=1.16.0', policies }];
  });
}

/** Whether a row can be run, and with which actions. */
export function planRow(row: CatalogueRow, world: RowWorld): RowPlan {
  const { features, version, policies, filling, actions } = world;
  const skip = (reason: string): RowPlan => ({ kind: 'skip', row, reason });
  const notRun = (reason: string): RowPlan => ({ kind: 'not-run', row, reason });
  const { external } = actions.world;
  if (!(row.conditions ?? []).every((name) => CONDITIONS[name]?.(external)))
    return skip('skipped by condition');
  if (row.versions !== undefined) {
    if (version === undefined)
      return notRun(`it needs Cilium ${row.versions}, and the version of the agents is not known`);
    if (!isInRange(row.versions, version))
      return skip(`requires Cilium version ${row.versions} but running ${version}`);
  }
  const unmet = unmetNeed(row.needs ?? [], features);
  if (unmet !== undefined) return unmet.startsWith('whether') ? notRun(unmet) : skip(unmet);
  if (row.suite.startsWith('perf')) return notRun('connectivity perf measures that');
  if (MORE[row.name] !== undefined) return notRun(MORE[row.name] ?? '');
  const names = row.policies ?? [];
  const missing = names.filter((name) => !policyDocument(policies, name));
  if (missing.length > 0) return notRun(`its policies are not there: ${missing.join(', ')}`);
  const places = names.flatMap((name) =>
    missingPlaces(policyDocument(policies, name) ?? { spec: {} }, filling),
  );
  if (places.length > 0) return notRun(`it needs ${flagsOf(places).join(', ')}`);
  const unknown = row.scenarios.filter((name) => !SCENARIOS[name] && !AGENT_SCENARIOS.has(name));
  if (unknown.length > 0 && unknown.length === row.scenarios.length)
    return notRun(`its scenarios are not there: ${unknown.join(', ')}`);
  if (row.expectations.length > 1 && !pickOf(row))
    return notRun('what it expects of which action is not there');
  const left: Left[] = [];
  const planned: PlannedScenario[] = [];
  for (const name of row.scenarios) {
    if (!world.isWanted(name)) {
      left.push({ name, reason: 'skipped by user' });
      continue;
    }
    if (AGENT_SCENARIOS.has(name)) {
      planned.push({ name, actions: [] });
      continue;
    }
    const made = SCENARIOS[name]?.(actions) ?? 'the scenario is not there';
    if (typeof made === 'string') left.push({ name, reason: made });
    else if (made.length === 0) left.push({ name, reason: 'test requires a multi-node cluster' });
    else planned.push({ name, actions: made.map((action) => expected(row, action)) });
  }
  if (planned.length === 0) return notRun(left.map(({ name, reason }) => `${name}: ${reason}`).join('; '));
  return { kind: 'run', row, policies: row.policies ?? [], scenarios: planned, left };
}

/** How the expectations of a row are told apart; a row with ranges of ports has those of the plain one. */
function pickOf({ name }: CatalogueRow) {
  const plain = name.endsWith(WITH_RANGES) ? name.slice(0, -WITH_RANGES.length) : name;
  return plain.startsWith('client-egress-tls-sni') ? byTls : PICKS[plain];
}

/** The flags that say what stands for places. */
function flagsOf(places: readonly string[]): string[] {
  const flags = places.map((place) =>
    /^(external-name|sni-)/.test(place)
      ? '--external-target'
      : `--${place.replace('other-name', 'other-target')}`,
  );
  return [...new Set(flags)].filter((flag) => !flag.endsWith('v6'));
}

function expected(row: CatalogueRow, action: Action): Action {
  const pick = pickOf(row);
  const [egress, ingress] = pick?.(action, row.expectations) ?? row.expectations[0] ?? OK;
  const expect = expectationOf(egress, ingress);
  // Of a ping no exit code of curl is expected.
  return { ...action, expect: isPing(action) && expect.exit !== 0 ? { ...expect, exit: 'any' } : expect };
}
