import type { Command } from 'commander';
import { LISTED } from '../../cluster/kinds.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { openCluster } from '../../kube/road.ts';
import { type ListedKind, listObjects, printedList } from '../../kube/tables.ts';
import { customColumns, objectNames, printedTable, renderObjectList } from '../../render/cluster/objects.ts';
import { familyFlag } from '../flags.ts';
import { printList } from '../watch.ts';
import type { ClusterListFlags } from './target.ts';

/** Lists objects of a cluster as kubectl does. `keep` picks some of them by `namespace/name`. */
export async function printObjects(
  command: Command,
  listed: keyof typeof LISTED,
  flags: ClusterListFlags,
  ctx: Context,
  keep?: (client: KubeClient) => Promise<(object: KubeObject) => boolean>,
): Promise<void> {
  const kind: ListedKind = LISTED[listed];
  await using client = await openCluster(ctx);
  const given = familyFlag<string>(command, 'namespace');
  if (given !== undefined && flags.allNamespaces)
    throw new UserError('--namespace and --all-namespaces cannot be used together');
  const namespace =
    !kind.namespaced || flags.allNamespaces ? undefined : (given ?? client.namespace ?? 'default');
  const query = { labelSelector: flags.selector || undefined };
  const { output } = flags;
  if (output === '' || output === 'wide') {
    const look = async () => {
      const list = await printedList(client, kind, namespace, query);
      const isKept = await keep?.(client);
      const rows = isKept
        ? list.rows.filter(({ name, namespace: of }) => isKept({ metadata: { name, namespace: of } }))
        : list.rows;
      if (rows.length === 0 && !flags.watch)
        await ctx.err.write(
          `No resources found${namespace === undefined ? '' : ` in ${namespace} namespace`}\n`,
        );
      const isAll = kind.namespaced && namespace === undefined;
      return printedTable({ ...list, rows }, { isWide: output === 'wide', withNamespace: isAll });
    };
    return await printList(ctx, flags, look, 'The API server');
  }
  const all = await listObjects(client, kind, namespace, query);
  const isKept = await keep?.(client);
  const objects = isKept ? all.filter(isKept) : all;
  if (output === 'name') return await ctx.out.write(objectNames(kind, objects));
  if (output.startsWith('custom-columns='))
    return await ctx.out.write(customColumns(output.slice('custom-columns='.length), objects));
  await ctx.out.write(await renderObjectList(objects, output));
}
