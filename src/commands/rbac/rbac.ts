import { type Command, Option } from 'commander';
import { examples, stringArray } from '../../cli/flags.ts';
import { ELSEWHERE_TITLE, globalsOf, type Resolved, resolve, type Verb } from '../../cli/tree.ts';
import { bindingsOf, type Need, type Row, rolesOf, type Subject } from '../../cluster/rbac/role.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';
import { renderNeeds, renderRoles } from '../../render/cluster/rbac.ts';
import { checkFlags } from './check-flags.ts';
import { NEEDS, OF_NODE, OF_NODE_FLAGS } from './needs.ts';

interface RbacOptions {
  list?: boolean;
  namespace: string;
  objects?: string;
  name?: string;
  user: string[];
  group: string[];
  serviceaccount: string[];
  output: 'yaml' | 'json';
}

/** Declares `rbac`. */
export function addRbacCommand(command: Command, tree: Verb, ctx: Context): void {
  command
    .usage('[flags] <verb...>')
    .argument('[verb...]', 'verb of this program with the flags that matter, such as: status --rollout')
    .allowUnknownOption()
    .option('--list', 'List the verbs that ask the API server')
    .option(
      '-n, --namespace <name>',
      'Namespace that Cilium is installed in',
      ctx.env.CILIUM_NAMESPACE || 'kube-system',
    )
    .option('--objects <namespace>', 'Namespace of the objects that are listed or changed (default all)')
    .option('--name <name>', 'Name of the roles (default: after the verb)')
    .addOption(stringArray('--user <name>', 'Give the roles to this user; may be repeated'))
    .addOption(stringArray('--group <name>', 'Give them to this group; may be repeated'))
    .addOption(
      stringArray('--serviceaccount <namespace:name>', 'Give them to this service account; may be repeated'),
    )
    .addOption(new Option('-o, --output <format>', 'Output format').choices(['yaml', 'json']).default('yaml'))
    .addHelpText(
      'after',
      examples(
        'cilium rbac status',
        'cilium rbac policy get --objects shop --user alice',
        'cilium rbac --serviceaccount monitoring:checks -o json -- status --rollout',
        'cilium rbac --list',
      ),
    )
    .action((words: string[], options: RbacOptions) => runRbac(words, options, tree, ctx));
}

/** Prints what a verb needs. Nothing is asked of a cluster. */
async function runRbac(
  words: readonly string[],
  { list, namespace, objects, name, output, ...who }: RbacOptions,
  tree: Verb,
  ctx: Context,
): Promise<void> {
  if (list)
    return await ctx.out.write(renderNeeds(Object.entries(NEEDS).map(([verb, { needs }]) => [verb, needs])));
  if (words.length === 0)
    throw new UserError('rbac needs a verb, such as: cilium rbac policy get', {
      hint: 'Those that ask the API server: cilium rbac --list.',
    });
  const [first = ''] = words;
  if (first.startsWith('-'))
    throw new UserError(`rbac has no flag ${first}`, {
      hint: 'Flags of a verb stand behind it: cilium rbac status --rollout.',
    });
  const { path, verb, needs, notes } = needsOf(words, tree);
  await checkFlags(words, tree, path, ctx);
  const subjects = subjectsOf(who);
  const roleName = name ?? `cilium-${verb.replaceAll(' ', '-')}`;
  const roles = rolesOf(roleName, needs, { cilium: namespace, objects });
  if (roles.length === 0) {
    await ctx.err.write(`${verb}: ${notes.join(' ')}\n`);
    return;
  }
  const bindings = subjects.length > 0 ? bindingsOf(roles, subjects) : [];
  const comments = [`What "cilium ${words.join(' ')}" needs.`, ...notes];
  if (needs.some((need) => need.in === 'cilium'))
    comments.push(
      `Looking for Cilium takes more rights: say where it is with CILIUM_NAMESPACE=${namespace}.`,
    );
  await ctx.out.write(renderRoles([...roles, ...bindings], comments, output));
}

const FLAG = /^--[a-z][\w-]*/;
const OF_ONE_NODE = ['--node', '--pod', '--all-nodes', '--limit-nodes'];

/** What the words of a command line need: that of their verb, and that of each flag. */
function needsOf(
  words: readonly string[],
  tree: Verb,
): { path: Resolved['path']; verb: string; needs: readonly Need[]; notes: string[] } {
  const found = resolve(tree, words);
  const { path, unknown } = found;
  const verb = path.map((step) => step.name).join(' ');
  const last = path.at(-1)?.verb;
  if (unknown !== undefined || !last?.load) throw noVerb(found, words, tree);
  const flags = words.flatMap((word) => FLAG.exec(word)?.[0] ?? (word === '-P' ? '--port-forward' : []));
  const isOfNode = flags.some((flag) => OF_ONE_NODE.includes(flag)) && last.asks !== 'cluster';
  const own = isOfNode ? undefined : (NEEDS[verb] ?? ownOf(verb, flags));
  const rows = own
    ? [own, ...flags.flatMap((flag) => NEEDS[`${verb} ${flag}`] ?? [])]
    : takesNode(path)
      ? [OF_NODE, ...flags.flatMap((flag) => OF_NODE_FLAGS[flag] ?? [])]
      : [];
  if (rows.length === 0)
    throw new UserError(`${verb} does not ask the API server of a cluster`, {
      hint: 'Those that do: cilium rbac --list.',
    });
  return {
    path,
    verb,
    needs: rows.flatMap(({ needs }) => needs),
    notes: rows.flatMap(({ note }) => note ?? []),
  };
}

/** A verb that asks the API server with a certain flag alone. */
function ownOf(verb: string, flags: readonly string[]): Row | undefined {
  const isNamed = flags.some((flag) => Object.hasOwn(NEEDS, `${verb} ${flag}`));
  return isNamed || Object.hasOwn(NEEDS, verb) ? { needs: [] } : undefined;
}

/** Whether --node names an agent that the verb asks. */
function takesNode(path: Resolved['path']): boolean {
  const flags = path
    .flatMap(({ verb }) => globalsOf(verb))
    .findLast(({ title }) => title === ELSEWHERE_TITLE)
    ?.options();
  return flags?.some(({ long }) => long === '--node') === true && !path.some(({ verb }) => verb.here);
}

function noVerb({ path, unknown }: Resolved, words: readonly string[], tree: Verb): UserError {
  const at = path.at(-1)?.verb ?? tree;
  const near = unknown === undefined ? undefined : nearest(unknown, Object.keys(at.verbs ?? {}));
  const before = path.map((step) => `${step.name} `).join('');
  return new UserError(
    unknown === undefined
      ? `"${words.join(' ')}" is no verb by itself`
      : `there is no verb "${before}${unknown}"`,
    {
      hint: near ? `Did you mean "${before}${near}"?` : 'Those that ask the API server: cilium rbac --list.',
    },
  );
}

function subjectsOf({
  user,
  group,
  serviceaccount,
}: Pick<RbacOptions, 'user' | 'group' | 'serviceaccount'>): Subject[] {
  return [
    ...user.map((name): Subject => ({ kind: 'User', name })),
    ...group.map((name): Subject => ({ kind: 'Group', name })),
    ...serviceaccount.map((text): Subject => {
      const [namespace = '', name = '', ...more] = text.split(':');
      if (namespace === '' || name === '' || more.length > 0)
        throw new UserError(`--serviceaccount ${text}: expected NAMESPACE:NAME`);
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
}
