import type { CatalogueRow, Expected } from './catalogue.ts';
import { expectationOf } from './expectation.ts';
import { type Features, unmetNeed } from './features.ts';
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
    const { external } = a.world;
    if (external === undefined) return NO_TARGET;
    return a
      .clients()
      .flatMap((from) =>
        (['http', 'https'] as const).map((scheme) => a.toWorld(from, external, undefined, scheme)),
      );
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
const isPing = ({ argv }: Action) => argv[0] === 'ping';

/** Which of its expectations a row has of an action, by name; rows with one have it of all. */
const PICKS: Readonly<Record<string, (action: Action, all: readonly Expected[]) => Expected | undefined>> = {
  'client-ingress': (action, [other, rest]) => (isClient2(action) ? other : rest),
  'client-ingress-knp': (action, [other, rest]) => (isClient2(action) ? other : rest),
  'all-ingress-deny': (_, [, drop]) => drop,
  'all-ingress-deny-knp': (_, [, drop]) => drop,
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

/** What the plan of a row rests on. */
export interface RowWorld {
  actions: Actions;
  features: Features;
  version: string | undefined;
  policies: ReadonlySet<string>;
  isWanted: (scenario: string) => boolean;
}

/** Whether a row can be run, and with which actions. */
export function planRow(row: CatalogueRow, world: RowWorld): RowPlan {
  const { features, version, policies, actions } = world;
  const skip = (reason: string): RowPlan => ({ kind: 'skip', row, reason });
  const notRun = (reason: string): RowPlan => ({ kind: 'not-run', row, reason });
  if (row.conditions?.length) return skip('skipped by condition');
  if (row.versions !== undefined) {
    if (version === undefined)
      return notRun(`it needs Cilium ${row.versions}, and the version of the agents is not known`);
    if (!isInRange(row.versions, version))
      return skip(`requires Cilium version ${row.versions} but running ${version}`);
  }
  const unmet = unmetNeed(row.needs ?? [], features);
  if (unmet !== undefined) return unmet.startsWith('whether') ? notRun(unmet) : skip(unmet);
  if (MORE[row.name] !== undefined) return notRun(MORE[row.name] ?? '');
  const missing = (row.policies ?? []).filter((name) => !policies.has(name));
  if (missing.length > 0) return notRun(`its policies are not there: ${missing.join(', ')}`);
  const unknown = row.scenarios.filter((name) => !SCENARIOS[name] && !AGENT_SCENARIOS.has(name));
  if (unknown.length > 0 && unknown.length === row.scenarios.length)
    return notRun(`its scenarios are not there: ${unknown.join(', ')}`);
  if (row.expectations.length > 1 && !PICKS[row.name])
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

function expected(row: CatalogueRow, action: Action): Action {
  const pick = PICKS[row.name];
  const [egress, ingress] = pick?.(action, row.expectations) ?? row.expectations[0] ?? OK;
  const expect = expectationOf(egress, ingress);
  // Of a ping no exit code of curl is expected.
  return { ...action, expect: isPing(action) && expect.exit !== 0 ? { ...expect, exit: 'any' } : expect };
}
