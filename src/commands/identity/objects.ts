import type { Command } from 'commander';
import { printObjects } from '../../cli/kube/cluster-list.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import type { IdentityListOptions } from './options.ts';

interface Endpoint extends KubeObject {
  status?: { identity?: { id?: number } };
}

/** Lists the identities of a cluster; with `--unused` those that no endpoint has. */
export async function listIdentityObjects(
  command: Command,
  labels: readonly string[],
  options: IdentityListOptions,
  ctx: Context,
): Promise<void> {
  if (labels.length > 0 || options.endpoints || options.pods)
    throw new UserError('labels, --endpoints and --pods are for what an agent knows', {
      hint: 'Of objects: cilium identity list --cluster --selector io.kubernetes.pod.namespace=shop',
    });
  await printObjects(command, 'identity', options, ctx, options.unused ? unusedIdentities : undefined);
}

/**
 * Tells the identities that no CiliumEndpoint has. Where agents make none (`disable-endpoint-crd`), every identity
 * would look unused: that is an error.
 */
async function unusedIdentities(client: KubeClient): Promise<(object: KubeObject) => boolean> {
  const path = '/apis/cilium.io/v2/ciliumendpoints';
  const used = new Set(
    await listAll<Endpoint, string>(client, path, {}, ({ status }) => status?.identity?.id?.toString()),
  );
  if (used.size === 0)
    throw new UserError(
      'no CiliumEndpoint of the cluster has an identity: which identities are used is not known',
      {
        hint: 'Agents make none with disable-endpoint-crd. Ask them: cilium identity list --endpoints --all-nodes',
      },
    );
  return ({ metadata }) => !used.has(metadata?.name ?? '');
}
