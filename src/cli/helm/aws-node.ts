import { type Values, valueAt } from '../../cluster/install/set-values.ts';
import type { Context } from '../../context.ts';
import { FIELD_MANAGER } from '../../kube/apply.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Amazon's own network, which steps aside for nodes that have this label, and no node has. */
const AWS_NODE = '/apis/apps/v1/namespaces/kube-system/daemonsets/aws-node';
const SELECTOR = 'io.cilium/aws-node-enabled';

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

/** Brings Amazon's own network back, where it was taken off. Returns why it could not be. */
export async function restoreAwsNode(client: KubeClient, ctx: Context): Promise<string | undefined> {
  const found = await client
    .find<KubeObject & { spec?: { template?: { spec?: { nodeSelector?: Record<string, string> } } } }>({
      path: AWS_NODE,
    })
    .catch(() => undefined);
  if (found?.spec?.template?.spec?.nodeSelector?.[SELECTOR] === undefined) return undefined;
  await ctx.out.write('⏪ Undoing the changes to the "aws-node" DaemonSet...\n');
  try {
    await patchSelector(client, null);
    return undefined;
  } catch (error) {
    await ctx.out.write(
      '❌ Failed to patch the "aws-node" DaemonSet, please remove it\'s node selector manually\n',
    );
    return `DaemonSet kube-system/aws-node keeps the node selector ${SELECTOR}: ${sanitizeCell(wordsOf(error))}`;
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
