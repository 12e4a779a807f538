import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from '../../kube/client.ts';
import { ownersOf } from '../../kube/release.ts';
import { type FoundPolicy, findPolicies, POLICY_KINDS } from '../../kube/remove.ts';
import { openCluster } from '../../kube/road.ts';
import { type ListedKind, listObjects, printedList } from '../../kube/tables.ts';
import { listWriter, printedTable } from '../../render/cluster/objects.ts';
import { renderOutput } from '../../render/text/output.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { mayWrite, type WriteOptions } from '../confirm.ts';
import { familyFlag } from '../flags.ts';
import { laidOut } from '../list.ts';
import { recordPolicies, removePolicies } from '../policy/prune.ts';
import { writeInParts } from './cluster-list.ts';
import type { ClusterListFlags } from './target.ts';

/** A policy that was named: `cnp/web`. */
interface Wanted {
  /** Undefined: of any kind. */
  kind: string | undefined;
  name: string;
}

const SHORT: Readonly<Record<string, string>> = {
  cnp: 'CiliumNetworkPolicy',
  ccnp: 'CiliumClusterwideNetworkPolicy',
  netpol: 'NetworkPolicy',
};

/** Prints the policies of a cluster as kubectl does: of all kinds, or those that are named. */
export async function printPolicies(
  command: Command,
  names: readonly string[],
  flags: ClusterListFlags,
  ctx: Context,
): Promise<void> {
  await using client = await openCluster(ctx);
  const { output, allNamespaces, selector } = flags;
  const given = familyFlag<string>(command, 'namespace');
  if (given !== undefined && allNamespaces)
    throw new UserError('--namespace and --all-namespaces cannot be used together');
  if (names.length > 0 && (allNamespaces || selector))
    throw new UserError(`names and ${selector ? '--selector' : '--all-namespaces'} cannot be used together`);
  const wanted = names.map(wantedOf);
  const namespace = allNamespaces ? undefined : (given ?? client.namespace ?? 'default');
  const query = { labelSelector: selector || undefined };
  const { there: kinds, refused } = await kindsThere(client, kindsOf(wanted), namespace, ctx);
  const found = new Set<Wanted>();
  let count = 0;
  const keep = (kind: ListedKind) => (name: string) => {
    const named = wanted.filter((one) => one.name === name && (one.kind ?? kind.kind) === kind.kind);
    for (const one of named) found.add(one);
    const isKept = wanted.length === 0 || named.length > 0;
    if (isKept) count++;
    return isKept;
  };
  const pieces: string[] = [];
  if (output === '' || output === 'wide') {
    for (const kind of kinds) {
      const list = await printedList(client, kind, namespace, query);
      const isKept = keep(kind);
      const rows = list.rows
        .filter(({ name }) => isKept(name))
        .map((row) => ({ ...row, cells: [`${resourceOf(kind)}/${row.name}`, ...row.cells.slice(1)] }));
      if (rows.length === 0) continue;
      const withNamespace = namespace === undefined;
      const table = await laidOut(ctx, output, printedTable({ ...list, rows }, { withNamespace }));
      pieces.push(`${pieces.length > 0 ? '\n' : ''}${table}`);
    }
  } else pieces.push(...(await structured(client, kinds, { namespace, query, output, keep, names })));
  if (count === 0 && wanted.length === 0 && refused.length === 0)
    await ctx.err.write(`No policies found${namespace === undefined ? '' : ` in ${namespace} namespace`}\n`);
  if (count > 0 || wanted.length === 0) await writeInParts(ctx, pieces);
  // Of a kind that may not be listed nobody knows what is there.
  const isKnown = ({ kind }: Wanted) => !refused.some((one) => (kind ?? one.kind) === one.kind);
  const missing = wanted
    .filter((one) => !found.has(one) && isKnown(one))
    .map((one) => notThere(one, namespace));
  const last = missing.pop();
  for (const { message } of missing) await ctx.err.write(`Error: ${message}\n`);
  if (last) throw last;
}

async function structured(
  client: KubeClient,
  kinds: readonly ListedKind[],
  asked: {
    namespace: string | undefined;
    query: { labelSelector: string | undefined };
    output: string;
    keep: (kind: ListedKind) => (name: string) => boolean;
    names: readonly string[];
  },
): Promise<Iterable<string>> {
  const { namespace, query, output, keep, names } = asked;
  const kept: { kind: ListedKind; object: KubeObject }[] = [];
  for (const kind of kinds) {
    const isKept = keep(kind);
    const objects = await listObjects(client, kind, namespace, query, (object) => object);
    kept.push(
      ...objects.filter(({ metadata }) => isKept(metadata?.name ?? '')).map((object) => ({ kind, object })),
    );
  }
  const [only, ...more] = kept;
  if (output === 'name') {
    const lines: string[] = [];
    for (const { kind, object } of kept) {
      const writer = await listWriter(kind, output);
      lines.push(...(await writer.write([writer.keep(object)])));
    }
    return lines;
  }
  // One object that was named is printed as itself, and not as a list of one.
  if (names.length === 1 && only && more.length === 0 && !output.startsWith('custom-columns='))
    return [(await renderOutput(only.object, output)).replace(/\n\n$/, '\n')];
  const writer = await listWriter(POLICY, output);
  return writer.write(kept.map(({ object }) => writer.keep(object)));
}

/** What a list of several kinds is called where a writer needs a name. */
const POLICY = { apiVersion: 'v1', kind: 'List' };

/** Deletes policies of a cluster that are named or have labels. They are on disk before the first one goes. */
export async function deletePolicies(
  command: Command,
  names: readonly string[],
  options: WriteOptions & { all?: boolean; selector?: string; undoFile?: string; output: string },
  ctx: Context,
): Promise<void> {
  const { all, selector, undoFile, dryRun = false, output } = options;
  if (output) throw new UserError('-o is for what an agent answers: of a cluster names are printed');
  if (all)
    throw new UserError(
      '--all is for the rules of an agent: of a cluster name policies, or select them by labels',
    );
  if (names.length > 0 === Boolean(selector?.trim()))
    throw new UserError('expected names of policies, as [KIND/]NAME, or --selector', {
      hint: 'What there is: cilium policy get -A',
    });
  await using client = await openCluster(ctx);
  const given = familyFlag<string>(command, 'namespace');
  const wanted = names.map(wantedOf);
  const namespace = names.length > 0 ? (given ?? client.namespace ?? 'default') : given;
  // Labels in a namespace do not mean policies of the whole cluster.
  const kinds = kindsOf(wanted).filter(
    ({ namespaced }) => names.length > 0 || given === undefined || namespaced,
  );
  const policies = await findPolicies(client, selector, { kinds, namespace });
  const going =
    names.length > 0
      ? [...new Set(wanted.map((one) => theOne(policies, one, namespace ?? 'default')))]
      : policies;
  if (going.length === 0) throw new UserError(`no policy has the labels ${selector}`);
  for (const { name, object } of going)
    for (const { kind, name: owner } of ownersOf(object))
      await ctx.err.write(
        `${sanitizeCell(`${name} is kept by ${kind} (${owner})`)}: it may come back, so delete it there too.\n`,
      );
  if (!dryRun) {
    if (ctx.in.isTTY && !options.yes)
      await ctx.err.write(going.map(({ name }) => `${sanitizeCell(name)}\n`).join(''));
    await mayWrite(ctx, `delete ${going.length === 1 ? '1 policy' : `${going.length} policies`}`, options);
  }
  const undo = dryRun ? undefined : await recordPolicies('policy-objects', going, undoFile, ctx);
  await removePolicies(client, going, { done: 'deleted', dryRun, undo }, ctx);
}

function theOne(policies: readonly FoundPolicy[], wanted: Wanted, namespace: string): FoundPolicy {
  const found = policies.filter(
    ({ kind, object: { metadata } }) =>
      metadata?.name === wanted.name &&
      (wanted.kind ?? kind) === kind &&
      (metadata.namespace === undefined || metadata.namespace === namespace),
  );
  const [first, second] = found;
  if (!first) throw notThere(wanted, namespace);
  if (second)
    throw new UserError(
      `${wanted.name} is the name of several policies: ${found.map(({ name }) => name).join(', ')}`,
      {
        hint: `Say which kind: cnp/${wanted.name}, ccnp/${wanted.name} or netpol/${wanted.name}.`,
      },
    );
  return first;
}

function notThere({ kind, name }: Wanted, namespace: string | undefined): UserError {
  const isClusterwide = POLICY_KINDS.some((one) => one.kind === kind && !one.namespaced);
  const within = namespace === undefined || isClusterwide ? '' : ` in the namespace ${namespace}`;
  const where = `${within}${kind === undefined && within !== '' ? ', and none of the whole cluster' : ''}`;
  return new UserError(`there is no ${kind ?? 'policy'} ${name}${where}`, {
    hint: 'What there is: cilium policy get -A',
  });
}

/** Reads `[KIND/]NAME`, where a kind may have its group. */
function wantedOf(text: string): Wanted {
  const slash = text.indexOf('/');
  if (slash < 0) return { kind: undefined, name: text };
  const given = text.slice(0, slash).toLowerCase();
  const known = POLICY_KINDS.find((kind) =>
    [kind.kind.toLowerCase(), kind.plural].some(
      (word) => given === word || given === `${word}.${groupOf(kind)}`,
    ),
  );
  const kind = SHORT[given] ?? known?.kind;
  const name = text.slice(slash + 1);
  if (kind === undefined || name === '')
    throw new UserError(`"${text}" names no policy: expected [KIND/]NAME with cnp, ccnp or netpol as kind`, {
      hint: 'A namespace is named by --namespace.',
    });
  return { kind, name };
}

function groupOf({ apiVersion }: ListedKind): string {
  return apiVersion.split('/')[0] ?? '';
}

function resourceOf(kind: ListedKind): string {
  return `${kind.kind.toLowerCase()}.${groupOf(kind)}`;
}

/** The kinds that names are of; all where one may be of any. */
function kindsOf(wanted: readonly Wanted[]): readonly ListedKind[] {
  if (wanted.length === 0 || wanted.some(({ kind }) => kind === undefined)) return POLICY_KINDS;
  return POLICY_KINDS.filter(({ kind }) => wanted.some((one) => one.kind === kind));
}

/**
 * The kinds that the cluster has and the user may list: without Cilium's there are still NetworkPolicies. What may not be
 * listed is told, and the rest shown.
 */
async function kindsThere(
  client: KubeClient,
  kinds: readonly ListedKind[],
  namespace: string | undefined,
  ctx: Context,
): Promise<{ there: ListedKind[]; refused: ListedKind[] }> {
  const [there, refused]: [ListedKind[], ListedKind[]] = [[], []];
  for (const kind of kinds) {
    const { apiVersion, plural, namespaced } = kind;
    const within =
      namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    try {
      const found = await client.find({
        path: `/apis/${apiVersion}${within}/${plural}`,
        query: { limit: 1 },
      });
      if (found !== undefined) there.push(kind);
    } catch (error) {
      if (!(error instanceof KubeRefusal && error.code === 403)) throw error;
      await ctx.err.write(`Error: ${sanitizeCell(error.message)}\n`);
      ctx.exitCode = 1;
      refused.push(kind);
    }
  }
  return { there, refused };
}
