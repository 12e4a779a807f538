import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal } from '../../kube/client.ts';
import { CONFIG_MAP, readConfigMap, type StoredConfig } from '../../kube/config-map.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';

/** Opens the cluster that the command line names, and reads its configuration. Errors begin with `what`. */
export async function openStoredConfig(
  ctx: Context,
  what: string,
): Promise<{ client: KubeClient; stored: StoredConfig }> {
  const client = await openCluster(ctx);
  let namespace = ctx.globals.cluster?.namespace;
  try {
    namespace = await ciliumNamespace(client, namespace);
    return { client, stored: await readConfigMap(client, namespace) };
  } catch (error) {
    if (!(error instanceof KubeRefusal)) throw error;
    // Two blanks, as the reference writes them.
    throw new UserError(`${what}:  unable get ConfigMap "${CONFIG_MAP}": ${wordsOf(error)}`, {
      hint:
        error.code === 404
          ? `Is Cilium installed in the namespace ${namespace}? See --namespace.`
          : error.hint,
      cause: error,
    });
  }
}

/** The API server's own words, as the reference prints them. */
export function wordsOf(error: KubeRefusal): string {
  return error.status.message ?? error.message;
}
