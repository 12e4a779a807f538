import type { Command } from 'commander';
import { LISTED } from '../../cluster/kinds.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { openCluster } from '../../kube/road.ts';
import { type ListedKind, listObjects, printedList } from '../../kube/tables.ts';
import { listWriter, printedTable } from '../../render/cluster/objects.ts';
import { familyFlag } from '../flags.ts';
import { type ListFlags, printList } from '../list.ts';
import { ProgressLine } from '../progress.ts';
import type { ClusterListFlags } from './target.ts';

/** Lists objects of a cluster as kubectl does. `keep` picks some of them by `namespace/name`. */
export async function printObjects(
  command: Command,
  listed: keyof typeof LISTED,
  flags: ClusterListFlags & ListFlags,
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
  const progress = new ProgressLine(ctx.err);
  const onPage = (kept: number, remaining: number | undefined) =>
    progress.show(`${kept}${remaining === undefined ? '' : ` of ${kept + remaining}`} ${kind.plural} read`);
  if (output === '' || output === 'wide') {
    const look = async () => {
      const list = await printedList(client, kind, namespace, query, onPage).finally(() => progress.clear());
      const isKept = await keep?.(client);
      const rows = isKept
        ? list.rows.filter(({ name, namespace: of }) => isKept({ metadata: { name, namespace: of } }))
        : list.rows;
      if (rows.length === 0 && !flags.watch)
        await ctx.err.write(
          `No resources found${namespace === undefined ? '' : ` in ${namespace} namespace`}\n`,
        );
      const isAll = kind.namespaced && namespace === undefined;
      return printedTable({ ...list, rows }, { withNamespace: isAll });
    };
    return await printList(ctx, flags, look, 'The API server');
  }
  const writer = await listWriter(kind, output);
  const all = await listObjects(
    client,
    kind,
    namespace,
    query,
    (object) => ({ name: object.metadata?.name, of: object.metadata?.namespace, kept: writer.keep(object) }),
    onPage,
  ).finally(() => progress.clear());
  const isKept = await keep?.(client);
  const picked = isKept ? all.filter(({ name, of }) => isKept(named(name, of))) : all;
  await writeInParts(ctx, await writer.write(picked.map(({ kept }) => kept)));
}

function named(name: string | undefined, namespace: string | undefined): KubeObject {
  return { metadata: { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) } };
}

const PART = 64 * 1024;

/** Writes many pieces of text, some at a time. */
export async function writeInParts(ctx: Context, pieces: Iterable<string>): Promise<void> {
  let part = '';
  for (const piece of pieces) {
    part += piece;
    if (part.length < PART) continue;
    await ctx.out.write(part);
    part = '';
  }
  if (part !== '') await ctx.out.write(part);
}
