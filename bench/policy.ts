import { readFileSync } from 'node:fs';
import { emptyState } from '../src/policy/evaluate/decide/cluster-state.ts';
import type { FlowRecord } from '../src/policy/evaluate/decide/connections.ts';
import { decideConnection } from '../src/policy/evaluate/decide/decide.ts';
import { PolicyEngine } from '../src/policy/evaluate/decide/engine.ts';
import { Peers } from '../src/policy/evaluate/decide/peers.ts';
import { type Identity, identityOf } from '../src/policy/evaluate/selectors/identities.ts';
import { FlowTable } from '../src/policy/reports/flow-table.ts';
import { replay } from '../src/policy/reports/replay.ts';
import type { Rule, SourcedRule } from '../src/policy/rule.ts';

const NAMESPACES = 50;
const APPS = 40;
const RULES = 10_000;
const IDENTITIES = 5_000;
const ENDPOINTS = 500;
const FLOWS = 500_000;

/** A cluster with the same shape in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function identities(): Identity[] {
  const list = [
    identityOf(1, ['reserved:host']),
    identityOf(2, ['reserved:world']),
    identityOf(6, ['reserved:remote-node']),
  ];
  const pods = IDENTITIES - 500;
  for (let i = 0; i < pods; i++)
    list.push(
      identityOf(10_000 + i, [
        `k8s:io.kubernetes.pod.namespace=ns-${i % NAMESPACES}`,
        `k8s:app=app-${Math.floor(i / NAMESPACES) % APPS}`,
        `k8s:version=v${i % 7}`,
        `k8s:instance=${i}`,
        'k8s:io.cilium.k8s.policy.cluster=bench',
      ]),
    );
  for (let i = 0; list.length < IDENTITIES; i++)
    list.push(identityOf(16_777_217 + i, [`cidr:10.${i >> 8}.${i & 255}.0/24`, 'reserved:world']));
  return list;
}

function sourced(rule: Rule, n: number): SourcedRule {
  const source = { file: 'bench.yaml', locate: () => ({ file: 'bench.yaml', line: n, column: 1 }) };
  return { rule, origin: { kind: 'rule', source, path: [n] } };
}

function rules(): SourcedRule[] {
  const pick = random(7);
  const pods = (namespace: number) => ({
    matchLabels: {
      'k8s:io.kubernetes.pod.namespace': `ns-${namespace}`,
      'any:app': `app-${pick(APPS)}`,
    },
  });
  return Array.from({ length: RULES }, (_, n) => {
    const namespace = n % NAMESPACES;
    const ports = [{ ports: [{ port: String(1000 + pick(5000)), protocol: 'TCP' as const }] }];
    const kind = n % 10;
    const rule: Rule = {
      endpointSelector: pods(namespace),
      enableDefaultDeny: { ingress: kind < 6 || kind === 9, egress: kind >= 6 && kind < 9 },
      ...(kind < 6 && { ingress: [{ fromEndpoints: [pods(pick(NAMESPACES))], toPorts: ports }] }),
      ...(kind >= 6 && kind < 8 && { egress: [{ toEndpoints: [pods(namespace)], toPorts: ports }] }),
      ...(kind === 8 && { egress: [{ toCIDR: [`10.${pick(2)}.0.0/16`], toPorts: ports }] }),
      ...(kind === 9 && { ingressDeny: [{ fromEndpoints: [pods(pick(NAMESPACES))] }] }),
    };
    return sourced(rule, n);
  });
}

function seconds(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}

/** Resolves a large cluster, changes a rule, decides flows; prints the figures. */
export async function run(): Promise<void> {
  const all = identities();
  const endpoints = Array.from({ length: ENDPOINTS }, (_, i) => ({ id: i + 1, identity: 10_000 + i * 9 }));
  const set = rules();
  const engine = new PolicyEngine(all, endpoints);
  let entries = 0;
  const resolveAll = () => {
    entries = 0;
    for (const endpoint of endpoints) {
      const maps = engine.mapsOf(endpoint);
      for (const state of [maps.ingress, maps.egress])
        for (const bucket of state.values()) entries += bucket.size;
    }
  };
  const first = seconds(() => {
    engine.addAll(set);
    resolveAll();
  });
  console.log(
    `resolve ${RULES} rules, ${IDENTITIES} identities, ${ENDPOINTS} endpoints: ${first.toFixed(2)} s (budget 10 s), ${entries} entries`,
  );
  const changed = set[17] ?? set[0];
  if (!changed) throw new Error('no rules');
  const one = engine.add(changed);
  resolveAll();
  const again = seconds(() => {
    engine.replace(one, changed);
    resolveAll();
  });
  console.log(`resolve again after one rule changed: ${(again * 1000).toFixed(1)} ms (budget 100 ms)`);
  const wide = engine.add(
    sourced(
      {
        endpointSelector: {},
        ingress: [{ fromEntities: ['host'] }],
        enableDefaultDeny: { ingress: true, egress: false },
      },
      0,
    ),
  );
  const everyone = seconds(resolveAll);
  engine.remove(wide);
  console.log(`resolve again after a rule for every endpoint changed: ${(everyone * 1000).toFixed(0)} ms`);
  const pick = random(3);
  const flows = Array.from({ length: FLOWS }, () => {
    const source = all[pick(all.length)] ?? identityOf(2, []);
    const destination = engine.identities.get(10_000 + pick(ENDPOINTS) * 9) ?? source;
    return { source, destination, port: 1000 + pick(5000) };
  });
  const denied = { count: 0 };
  const decide = seconds(() => {
    for (const { source, destination, port } of flows)
      if (decideConnection(engine, source, destination, { protocol: 6, port }).answer === 'denied')
        denied.count++;
  });
  console.log(
    `decide ${FLOWS} distinct flows: ${Math.round(FLOWS / decide)} flows/s (budget 50000), ${denied.count} denied`,
  );
  const lines = readFileSync(new URL('../fixtures/recordings/flows-1.20.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean);
  const table = new FlowTable(new Peers(engine, emptyState()));
  const rounds = 450;
  const replayed = seconds(() => {
    for (let i = 0; i < rounds; i++)
      for (const line of lines) table.add((JSON.parse(line) as { flow: FlowRecord }).flow);
    replay(table, engine);
  });
  console.log(
    `read and replay ${table.total} recorded flows: ${Math.round(table.total / replayed)} flows/s (budget 50000)`,
  );
}
