import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { canonicalRules } from '../../policy/language/canonical.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import type { LabInfo } from '../folder.ts';
import type { PolicyRule } from '../state/state.ts';
import { agentObjects } from './agent-objects.ts';
import { loopbackCertificate } from './certificate.ts';
import { clusterServices } from './cluster-services.ts';
import { clusterObjects, policyObjects } from './installed.ts';
import { kindNamed } from './kinds.ts';
import { type PodHost, serveKubelet } from './kubelet.ts';
import { CILIUM_NAMESPACE, type LabMember, type NewObject, RELAY_PORT } from './objects.ts';
import { writeLog } from './pod-log.ts';
import { type ApiParts, kubeServer } from './server.ts';
import { type Change, ObjectStore, type Stored } from './store.ts';
import { startControllers } from './workloads/controllers.ts';
import type { PodRunner } from './workloads/runner.ts';

/** An agent of the cluster with where it listens. */
export interface ClusterMember extends LabMember {
  info: LabInfo;
  /** The environment in which the toolkit asks this agent. */
  environment: Record<string, string>;
}

/** The Kubernetes API of a lab. */
export interface KubeLab {
  url: string;
  /** A file that leads to it, for KUBECONFIG. */
  kubeconfig: string;
  close(): Promise<void>;
}

const KUBERNETES = '1.36.0';
const HUBBLE_PORT = 4244;
/** Names of the sockets in an agent's container. */
const SOCKETS: Readonly<Record<string, keyof LabInfo['sockets']>> = {
  'cilium.sock': 'agent',
  'envoy/sockets/admin.sock': 'envoy',
  'health.sock': 'health',
  'hubble.sock': 'hubble',
  'monitor1_2.sock': 'monitor',
  'shell.sock': 'shell',
};
const POLICIES: ReadonlySet<string> = new Set([
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
  'NetworkPolicy',
]);
/** A label of every rule that came from an object. */
const FROM_OBJECT = 'io.cilium.k8s.policy.uid';

/** Serves the API of a cluster of these agents, which begins with these rules; `dir` is where its kubeconfig goes. */
export async function serveCluster(
  members: readonly ClusterMember[],
  rules: readonly Record<string, unknown>[],
  dir: string,
  nowMs: () => number,
  runner?: PodRunner,
): Promise<KubeLab> {
  const store = new ObjectStore(nowMs);
  const startedAt = new Date(nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
  for (const object of clusterObjects(members, startedAt)) put(store, object);
  if (runner) for (const object of clusterServices()) put(store, object);
  const token = randomBytes(16).toString('hex');
  const certificate = loopbackCertificate(nowMs());
  const parts: ApiParts = {
    store,
    token,
    version: KUBERNETES,
    nowMs,
    refuse,
    log: (pod, query, response) => {
      const member = agentOf(pod, members);
      writeLog(member && join(member.info.dir, 'lab.log'), query, response);
    },
  };
  const server = kubeServer(parts, certificate);
  const dropSockets = serveKubelet(server, token, (namespace, name) => {
    const pod = store.find(kindNamed('Pod'), namespace, name);
    return pod && hostOf(pod, members, runner);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigOf(url, certificate.cert, token), { mode: 0o600 });
  const policies = givePolicies(store, members);
  const stops = [followAgents(store, members), policies.stop];
  for (const object of policyObjects(rules)) put(store, object);
  await policies.settled();
  const controllers = startControllers(store, members, runner, nowMs);
  await controllers.settled();
  return {
    url,
    kubeconfig,
    close: async () => {
      for (const stop of [...stops, controllers.stop]) stop();
      dropSockets();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function kubeconfigOf(server: string, authority: string, token: string): string {
  return `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'lab',
          cluster: { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') },
        },
      ],
      contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }],
      users: [{ name: 'lab', user: { token } }],
      'current-context': 'lab',
    },
    null,
    2,
  )}\n`;
}

function put(store: ObjectStore, object: NewObject): void {
  store.put(kindNamed(object.kind), object);
}

/** The agent whose pod this is. */
function agentOf({ metadata, spec }: Stored, members: readonly ClusterMember[]): ClusterMember | undefined {
  if (metadata.namespace !== CILIUM_NAMESPACE || metadata.labels?.['k8s-app'] !== 'cilium') return undefined;
  const { nodeName } = Object(spec) as { nodeName?: string };
  return members.find(({ node }) => node.name === nodeName);
}

/** What a pod of Cilium's can do; others have no port, and a program only where they really run. */
function hostOf(pod: Stored, members: readonly ClusterMember[], runner: PodRunner | undefined): PodHost {
  const member = agentOf(pod, members);
  const isRelay =
    pod.metadata.namespace === CILIUM_NAMESPACE && pod.metadata.labels?.['k8s-app'] === 'hubble-relay';
  const relay = isRelay ? members[0] : undefined;
  return {
    socket: (path) => {
      const own = SOCKETS[path.replace(/^\/(?:var\/)?run\/cilium\//, '')];
      return member && own && member.info.sockets[own];
    },
    port: (port) => {
      if (relay) return port === RELAY_PORT ? relay.info.hubbleTcp : undefined;
      return member && port === HUBBLE_PORT ? member.info.hubbleTcp : undefined;
    },
    environment: () => member?.environment,
    command: (words) => runner?.command(pod.metadata.uid, words),
  };
}

/** Keeps the objects that agents make as their states are. Returns how to stop. */
function followAgents(store: ObjectStore, members: readonly ClusterMember[]): () => void {
  let told = new Map<string, NewObject>();
  const tell = () => {
    const now = new Map(
      agentObjects(members).map((object) => [
        `${object.kind} ${object.metadata.namespace} ${object.metadata.name}`,
        object,
      ]),
    );
    for (const [key, object] of now)
      if (JSON.stringify(told.get(key)) !== JSON.stringify(object)) put(store, object);
    for (const [key, { kind, metadata }] of told) {
      const found = now.has(key) ? undefined : store.find(kindNamed(kind), metadata.namespace, metadata.name);
      if (found) store.remove(kindNamed(kind), found);
    }
    told = now;
  };
  tell();
  const stops = members.map(({ agent }) => agent.watchState(tell));
  return () => {
    for (const stop of stops) stop();
  };
}

/** Gives the agents the policies of the API, as agents that watch it have them. */
function givePolicies(
  store: ObjectStore,
  members: readonly ClusterMember[],
): { stop: () => void; settled: () => Promise<void> } {
  let work = Promise.resolve();
  const give = async ({ type, object }: Change) => {
    const rules = type === 'DELETED' ? [] : (await compiled(object)).rules;
    await Promise.all(
      members.map(({ agent }) =>
        agent.store.update((state) => {
          const left = state.policy.rules.filter((rule) => !isFrom(rule, object.metadata.uid));
          if (rules.length === 0 && left.length === state.policy.rules.length) return state;
          return { ...state, policy: { revision: state.policy.revision + 1, rules: [...left, ...rules] } };
        }),
      ),
    );
  };
  const stop = store.watch((change) => {
    if (!POLICIES.has(change.kind.kind)) return;
    // One after the other, in the order of the changes.
    work = work
      .then(() => give(change))
      .catch((error: unknown) => members[0]?.agent.log(`policy: ${String(error)}`));
  });
  return { stop, settled: () => work };
}

function isFrom(rule: PolicyRule, uid: string): boolean {
  return (
    Array.isArray(rule.labels) &&
    rule.labels.some(
      ({ key, value }: { key?: string; value?: string }) => key === FROM_OBJECT && value === uid,
    )
  );
}

async function compiled(object: Record<string, unknown>): Promise<{ rules: PolicyRule[]; faults: string[] }> {
  const { managedFields: _, ...metadata } = Object(object.metadata) as Record<string, unknown>;
  const text = JSON.stringify({ ...object, metadata });
  const { rules, findings } = await parsePolicies([{ file: 'object.json', text }]);
  const faults = findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const canonical = canonicalRules(rules.map(({ rule }) => rule)) as PolicyRule[];
  const uid = { key: FROM_OBJECT, value: String(metadata.uid ?? ''), source: 'k8s' };
  return {
    faults,
    rules: canonical.map((rule) => {
      const labels = Array.isArray(rule.labels) ? (rule.labels as { key?: string }[]) : [];
      return { ...rule, labels: [...labels.filter(({ key }) => key !== FROM_OBJECT), uid] };
    }),
  };
}

/** Policies are refused as the schemas of their kinds do. */
async function refuse(object: Record<string, unknown>): Promise<string | undefined> {
  if (!POLICIES.has(String(object.kind))) return undefined;
  const { faults } = await compiled(object);
  return faults.length > 0 ? faults.join(', ') : undefined;
}
