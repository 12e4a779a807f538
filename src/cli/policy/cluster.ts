import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeObject } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { readClusterState } from '../../kube/policy-state.ts';
import { openCluster } from '../../kube/road.ts';
import { compareBytes } from '../../lib/order.ts';
import type { Finding } from '../../model/finding.ts';
import { atLeast, type Build, type Release } from '../../model/release.ts';
import { stateOfAgent } from '../../policy/evaluate/decide/cluster-state.ts';
import type { Settings } from '../../policy/evaluate/decide/settings.ts';
import { takeObject } from '../../policy/evaluate/selectors/cluster-objects.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import type { Loaded } from './loaded.ts';

/** The state and the rules of the cluster that the command line names. */
export async function loadCluster(ctx: Context, asked: Build | undefined): Promise<Loaded> {
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const {
    lists,
    objects,
    policies,
    config,
    differing,
    build: told,
  } = await readClusterState(client, namespace);
  const state = stateOfAgent({ ...lists, services: [] });
  for (const object of objects) takeObject(object as Record<string, unknown>, state.objects);
  const build = asked ?? told;
  const files = policiesInForce(policies, config, differing).map((object) => ({
    file: `${object.kind} ${[object.metadata?.namespace, object.metadata?.name].filter(Boolean).join('/')}`,
    // Places in it are the same wherever it comes from.
    text: JSON.stringify(object, inOrder),
  }));
  const parsed = await parsePolicies(files, { strict: false, target: build?.release, readAll: true });
  const refused = refusedOf(parsed.findings);
  await tellRefused(refused, ctx);
  // Pods of other clusters have addresses that this one does not tell.
  const isAlone = ['', '0'].includes(config['cluster-id'] ?? '');
  return {
    state: { ...state, ...(!isAlone && { localOnly: true as const }) },
    rules: parsed.rules.filter(({ origin }) => !refused.has(origin.source.file)),
    settings: { ...settingsOf(config, differing, build?.release), ...build },
  };
}

/** What the API server may hold although a release does not know it: agents pass it over, and take the rest. */
const PASSED_OVER: ReadonlySet<string> = new Set(['release', 'schema', 'unknown-field']);

/** The objects that agents refuse as a whole, with the reason. */
function refusedOf(findings: readonly Finding[]): Map<string, string> {
  const refused = new Map<string, string>();
  for (const { severity, code, message, position } of findings)
    if (severity === 'error' && !PASSED_OVER.has(code) && !refused.has(position.file))
      refused.set(position.file, message);
  return refused;
}

async function tellRefused(refused: ReadonlyMap<string, string>, ctx: Context): Promise<void> {
  for (const [name, message] of refused)
    await ctx.err.write(
      `${sanitize(name)}: agents refuse it (${sanitize(message)}), so it counts as no policy. An agent that took an earlier version of it keeps that until it restarts.\n`,
    );
}

/** Writes the fields of an object in the order of their names. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => compareBytes(a, b)));
}

/** Options that switch a kind of policies off. */
const SWITCHES: Readonly<Record<string, string>> = {
  NetworkPolicy: 'enable-k8s-networkpolicy',
  CiliumNetworkPolicy: 'enable-cilium-network-policy',
  CiliumClusterwideNetworkPolicy: 'enable-cilium-clusterwide-network-policy',
};

/** The policies that the agents read. Throws UserError where nodes may not agree on it. */
function policiesInForce(
  policies: readonly KubeObject[],
  config: Readonly<Record<string, string>>,
  differing: ReadonlySet<string>,
): KubeObject[] {
  return policies.filter(({ kind = '' }) => {
    const name = SWITCHES[kind];
    if (name === undefined) return true;
    if (differing.has(name))
      throw new UserError(
        `whether agents read ${kind} is not the same on all nodes: a CiliumNodeConfig sets ${name}`,
        {
          hint: 'Ask the agent of one node: --state agent.',
        },
      );
    return config[name] !== 'false';
  });
}

/** What the agents' options say, or their defaults; what differs between nodes is not known. */
function settingsOf(
  config: Readonly<Record<string, string>>,
  differing: ReadonlySet<string>,
  release: Release | undefined,
): Partial<Settings> {
  const flag = (name: string) => (differing.has(name) ? undefined : config[name] === 'true');
  const [enforcement, localhost, modes] = [
    config['enable-policy'],
    config['allow-localhost'],
    config['policy-cidr-match-mode'],
  ];
  const [hostFirewall, nodeLabels] = [flag('enable-host-firewall'), flag('enable-node-selector-labels')];
  const clusterNetworkPolicy = flag('enable-k8s-cluster-network-policy');
  const [ipv4, ipv6] = [flag('enable-ipv4'), flag('enable-ipv6')];
  const name = config['cluster-name'];
  const local = 'policy-default-local-cluster';
  // Off by default in 1.18, on from 1.19 on.
  const byDefault = release && !differing.has(local) ? atLeast(release, '1.19') : undefined;
  const defaultLocalCluster = local in config ? flag(local) : byDefault;
  return {
    ...((enforcement === 'always' || enforcement === 'never' || enforcement === 'default') && {
      enforcement,
    }),
    // Agents under Kubernetes let pods accept all of their own node unless they are told otherwise.
    ...(!differing.has('allow-localhost') && { allowLocalhost: localhost !== 'policy' }),
    ...(hostFirewall !== undefined && { hostFirewall }),
    ...(nodeLabels !== undefined && { nodeLabels }),
    ...(clusterNetworkPolicy !== undefined && { clusterNetworkPolicy }),
    ...(defaultLocalCluster !== undefined && { defaultLocalCluster }),
    ...(!differing.has('policy-cidr-match-mode') && {
      cidrMatchMode: (['nodes', 'pods'] as const).filter((mode) => modes?.split(/[\s,]+/).includes(mode)),
    }),
    ...(ipv4 !== undefined && ipv6 !== undefined && { dualStack: ipv4 && ipv6 }),
    ...(name !== undefined && name !== '' && { clusterName: name }),
  };
}
