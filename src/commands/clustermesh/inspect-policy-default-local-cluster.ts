import { type Command, Option } from 'commander';
import { examples, familyFlag } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import {
  isCiliumPolicyAffected,
  isNetworkPolicyAffected,
  type LocalClusterReport,
} from '../../cluster/clustermesh/policies.ts';
import type { Context } from '../../context.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { openCluster } from '../../kube/road.ts';
import { localClusterJson, renderLocalCluster } from '../../render/cluster/local-cluster.ts';

interface InspectFlags {
  allNamespaces?: boolean;
  output: 'summary' | 'json';
}

interface PolicyObject extends KubeObject {
  spec?: unknown;
  specs?: unknown;
}

/** Declares `clustermesh inspect-policy-default-local-cluster`. */
export function addInspectPolicyDefaultLocalClusterCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      new Option(
        '-n, --namespace <name>',
        "Namespace of the policies (default: of the kubeconfig's context)",
      ),
    )
    .option('-A, --all-namespaces', 'Inspect the policies of all namespaces, and those of the whole cluster')
    .addOption(
      new Option('-o, --output <format>', 'Output format: summary, or json')
        .choices(['summary', 'json'])
        .default('summary'),
    )
    .addHelpText(
      'after',
      examples(
        'cilium clustermesh inspect-policy-default-local-cluster -A',
        'cilium clustermesh inspect -n shop -o json',
      ),
    )
    .action((flags: InspectFlags) => runInspect(command, flags, ctx));
}

/** Prints which policies mean something else with `policy-default-local-cluster`. */
export async function runInspect(command: Command, flags: InspectFlags, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const given = familyFlag<string>(command, 'namespace');
  const namespace = flags.allNamespaces ? undefined : (given ?? client.namespace ?? 'default');
  const report = await inspect(client, namespace).catch(
    unable('Unable to inspect policy default local cluster'),
  );
  await ctx.out.write(flags.output === 'json' ? localClusterJson(report) : renderLocalCluster(report));
}

async function inspect(client: KubeClient, namespace: string | undefined): Promise<LocalClusterReport> {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const list = async (path: string, what: string, isAffected: (policy: PolicyObject) => boolean) => {
    const rows = await listAll<PolicyObject, [string, boolean]>(client, path, {}, (policy) => [
      `${policy.metadata?.namespace ?? ''}/${policy.metadata?.name ?? ''}`,
      isAffected(policy),
    ]).catch(unable(`Error listing ${what} policies`));
    return new Map(rows);
  };
  const ofCilium = ({ spec, specs }: PolicyObject) => isCiliumPolicyAffected(spec, specs);
  return {
    networkPolicies: await list(
      `/apis/networking.k8s.io/v1${within}/networkpolicies`,
      'network',
      ({ spec }) => isNetworkPolicyAffected(spec),
    ),
    ciliumPolicies: await list(
      `/apis/cilium.io/v2${within}/ciliumnetworkpolicies`,
      'Cilium network',
      ofCilium,
    ),
    clusterwidePolicies:
      namespace === undefined
        ? await list(
            '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies',
            'Cilium Cluster Wide network',
            ofCilium,
          )
        : new Map(),
  };
}
