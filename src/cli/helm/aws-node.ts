import { type Values, valueAt } from '../../cluster/install/set-values.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { FIELD_MANAGER } from '../../kube/apply.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';

/** Amazon's own network, which steps aside for nodes that have this label, and no node has. */
const AWS_NODE = '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node';
const SELECTOR = 'io.cilium/aws-node-enabled';

/** For whoever has to look, as it could not be done here. */
const CHECK = `On EKS Amazon's own network is off while it has the node selector ${SELECTOR}: kubectl -n kube-system get daemonset aws-node -o yaml`;

/** Takes Amazon's own network off all nodes, unless Cilium is chained to it. */
export async function evictAwsNode(client: KubeClient, values: Values, ctx: Context): Promise<void> {
  if (valueAt(values, 'cni.chainingMode') === 'aws-cni') return;
  if ((await client.find<KubeObject>({ path: AWS_NODE })) === undefined) return;
  await ctx.out.write('🔥 Patching the "aws-node" DaemonSet to evict its pods...\n');
  try {
    await patchSelector(client, 'true');
  } catch (error) {
    await ctx.out.write('❌ Unable to patch the "aws-node" DaemonSet\n');
    throw error;
  }
}

/** What stands in the way of Amazon's own network: it could not be brought back, or not be looked at. */
interface AwsNodeShort {
  failures: string[];
  unseen: string[];
}

/** Brings Amazon's own network back, where it was taken off. */
export async function restoreAwsNode(client: KubeClient, ctx: Context): Promise<AwsNodeShort> {
  let found:
    | (KubeObject & { spec?: { template?: { spec?: { nodeSelector?: Record<string, string> } } } })
    | undefined;
  try {
    found = await client.find({ path: AWS_NODE });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { failures: [], unseen: [`DaemonSet kube-system/aws-node: ${wordsOf(error)}. ${CHECK}`] };
  }
  if (found?.spec?.template?.spec?.nodeSelector?.[SELECTOR] === undefined)
    return { failures: [], unseen: [] };
  await ctx.out.write('⏪ Undoing the changes to the "aws-node" DaemonSet...\n');
  try {
    await patchSelector(client, null);
    return { failures: [], unseen: [] };
  } catch (error) {
    await ctx.out.write(
      '❌ Failed to patch the "aws-node" DaemonSet, please remove it\'s node selector manually\n',
    );
    const why = `DaemonSet kube-system/aws-node keeps the node selector ${SELECTOR}: ${wordsOf(error)}`;
    return { failures: [why], unseen: [] };
  }
}

async function patchSelector(client: KubeClient, value: string | null): Promise<void> {
  await client.json({
    method: 'PATCH',
    path: AWS_NODE,
    query: { fieldManager: FIELD_MANAGER },
    contentType: 'application/merge-patch+json',
    body: { spec: { template: { spec: { nodeSelector: { [SELECTOR]: value } } } } },
  });
}
