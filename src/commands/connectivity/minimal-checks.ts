import { expectationOf } from '../../cluster/connectivity/expectation.ts';
import type { Features } from '../../cluster/connectivity/features.ts';
import type { MinimalCheck, Need } from '../../cluster/connectivity/minimal.ts';
import type { Action, TestPod } from '../../cluster/connectivity/plan.ts';
import type { ActionResult } from '../../cluster/connectivity/results.ts';
import { type AgentsAsked, checkHealth, checkIdentities } from './agent-checks.ts';
import { type Runner, wordsOfError } from './runner.ts';
import type { TestRun } from './test-run.ts';
import { listTestPods } from './world.ts';

/** Timed out, because policy at the destination dropped it. */
const DROPPED_INGRESS = expectationOf('DropCurlTimeout', 'DefaultDenyIngressDrop');
const DROPPED_EGRESS = { ...expectationOf('DefaultDenyEgressDrop', 'None'), exit: 28 } as const;
const REFUSED_HTTP = expectationOf('DropCurlHTTPError', 'None');

/** Why a check cannot be made here; undefined when it can. */
export function unmetCheck(
  { needs = [] }: MinimalCheck,
  { features, nodes, external }: { features: Features; nodes: number; external: string | undefined },
): string | undefined {
  const reasons: Record<Need, string | undefined> = {
    'two-nodes': nodes < 2 ? 'test requires a multi-node cluster' : undefined,
    'l7-proxy': features.get('L7Proxy')?.enabled ? undefined : 'Feature L7Proxy is disabled',
    health: features.get('HealthChecking')?.enabled ? undefined : 'Feature HealthChecking is disabled',
    'external-target': external === undefined ? 'no external target: --external-target' : undefined,
  };
  return needs.map((need) => reasons[need]).find((reason) => reason !== undefined);
}

/** Makes one check of the minimal set. */
export async function runMinimal(
  check: MinimalCheck,
  runner: Runner,
  asked: AgentsAsked,
  run: TestRun,
): Promise<void> {
  const { actions } = runner.parts;
  const { world } = actions;
  const client = actions.pod('client');
  const client2 = actions.pod('client2');
  const client3 = actions.pod('client3');
  const same = actions.pod('echo-same-node');
  const other = actions.pod('echo-other-node');
  if (!client || !client2 || !same) throw new Error('the test pods are not there');
  const [service] = world.services;
  /** One of each node: what a node does for its own pods may be wrong on one alone. */
  const each = [client, ...(client3 ? [client3] : [])];
  const act = (made: readonly Action[], policies: readonly string[] = []) => run.act(made, policies);
  const under = (work: (policies: readonly string[]) => Promise<void>) => {
    const names = check.policies ?? [];
    return run.withPolicies(names, () => work(names));
  };
  switch (check.id) {
    case 'dns': {
      const names = [...(service ? [actions.nameOf(service)] : []), `kubernetes.default.svc.${world.domain}`];
      return act(each.flatMap((from) => names.map((name) => actions.lookup(from, name))));
    }
    case 'pod-pod-same-node':
      return act([
        ...actions.toPod(client, same),
        ...(client3 && other ? actions.toPod(client3, other) : []),
      ]);
    case 'pod-pod-other-node':
      return act([
        ...(other ? actions.toPod(client, other) : []),
        ...(client3 ? actions.toPod(client3, same) : []),
      ]);
    case 'pod-service':
      return act(each.flatMap((from) => world.services.map((one) => actions.toService(from, one))));
    case 'pod-host':
      return act(world.nodes.flatMap((node) => actions.toHost(client, node)));
    case 'host-pod':
      return run.add(await hostPod(runner, asked, run.name));
    case 'nodeport': {
      const node = world.nodes.find(({ name }) => name !== client.node) ?? world.nodes[0];
      const made = node ? world.services.flatMap((one) => actions.toNodePort(client, node, one)) : [];
      if (made.length === 0) run.leave('nodeport', 'the services have no ports of nodes: --service-type');
      return act(made);
    }
    case 'deny-ingress':
      await under((policies) => act(actions.toPod(client, same, { expect: DROPPED_INGRESS }), policies));
      return act(again(actions.toPod(client, same)));
    case 'deny-egress':
      await under(async (policies) => {
        await act(actions.toPod(client, same, { expect: DROPPED_EGRESS }), policies);
        await act(named(actions.toPod(client2, same), 'other-client'), policies);
      });
      return act(again(actions.toPod(client, same)));
    case 'allow-one':
      return under(async (policies) => {
        await act(actions.toPod(client, same, { expect: DROPPED_INGRESS }), policies);
        await act(named(actions.toPod(client2, same), 'allowed-client'), policies);
      });
    case 'l7':
      return under(async (policies) => {
        await act(named(actions.toPod(client, same, { path: '/public' }), 'public'), policies);
        await act(
          named(actions.toPod(client, same, { path: '/private', expect: REFUSED_HTTP }), 'private'),
          policies,
        );
      });
    case 'fqdn':
      if (!service) return run.leave('fqdn', 'there is no service');
      return under(async (policies) => {
        await act([actions.lookup(client, actions.nameOf(service))], policies);
        await act([actions.toService(client, service)], policies);
        const foreign = actions.lookup(client, `kubernetes.default.svc.${world.domain}`, { exit: 'any' });
        await act([{ ...foreign, name: 'nslookup-other-name' }], policies);
      });
    case 'world':
      return act(world.external.name === undefined ? [] : [actions.toWorld(client, world.external.name)]);
    case 'health':
      return run.add(await checkHealth(asked, run.name));
    case 'identities':
      return run.add(await checkIdentities(asked, world, run.name));
    default:
      throw new Error(`no check ${check.id}`);
  }
}

function named(made: readonly Action[], word: string): Action[] {
  return made.map((action) => ({ ...action, name: `${action.name}-${word}` }));
}

/** The path works again once the policy is gone. */
function again(made: readonly Action[]): Action[] {
  return named(made, 'afterwards');
}

/** Probes of the kubelets come from the nodes: the pods that have one are ready only where they get through. */
async function hostPod({ parts }: Runner, { ctx }: AgentsAsked, test: string): Promise<ActionResult[]> {
  const base = { path: '', expected: 'Allow', warnings: [], ms: 0 };
  let pods: readonly TestPod[];
  try {
    pods = await listTestPods(parts.client, parts.namespace);
  } catch (error) {
    ctx.signal.throwIfAborted();
    return [{ ...base, name: `${test}/probes`, ok: false, failure: wordsOfError(error) }];
  }
  return pods
    .filter(({ labels }) => labels.kind === 'echo')
    .map(({ name, namespace, pod, node, isReady }) => ({
      ...base,
      name: `${test}/${name}`,
      ok: isReady,
      ...(!isReady && {
        failure: `pod ${namespace}/${pod} is not ready: the probe of node ${node} does not reach it`,
      }),
    }));
}
