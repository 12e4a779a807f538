import { type Command, Option } from 'commander';
import type { Answer } from '../../agent/decode/answer.ts';
import { isMissingOperation, putPolicy, type Replacement } from '../../agent/decode/policy.ts';
import { examples, requiredArgument, stringSlice } from '../../cli/flags.ts';
import { outputOption, writeAnswer } from '../../cli/output.ts';
import { refuseClusterPolicies, refuseEmptyPeers } from '../../cli/policy/agent-form.ts';
import { countRealized } from '../../cli/policy/count-realized.ts';
import { showDifference } from '../../cli/policy/difference.ts';
import {
  addPolicyFileOptions,
  type LoadedPolicies,
  loadValidPolicies,
  type PolicyFileFlags,
  parseOptionsOf,
} from '../../cli/policy/load.ts';
import { noPolicyApi } from '../../cli/policy/no-api.ts';
import type { RealizedWatch } from '../../cli/policy/realized-watch.ts';
import { ProgressLine } from '../../cli/progress.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Cluster, Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { FieldChange } from '../../lib/field-changes.ts';
import type { AgentPolicy } from '../../model/policy.ts';
import { atLeast, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { canonicalRules } from '../../policy/language/canonical.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitize, sanitizeCell } from '../../render/text/sanitize.ts';

const WAYS = ['agent', 'kubernetes', 'auto'] as const;

/** What `policy import` was asked. */
export interface ImportOptions extends PolicyFileFlags, WaitFlags {
  output: string;
  print?: boolean;
  replace?: boolean;
  replaceWithLabels: string[];
  via: (typeof WAYS)[number];
  dryRun?: boolean;
  diff?: boolean;
  kubeconfig?: string;
  forceConflicts?: boolean;
  context?: string;
  prune?: string;
  undoFile?: string;
}

/** Declares `policy import`. */
export function addPolicyImportCommand(command: Command, ctx: Context): void {
  command
    .argument('[path]', 'file, folder, or - for stdin: JSON rules, or Kubernetes objects in YAML or JSON')
    .option('--print', 'Print policy after import')
    .option('--replace', 'Replace existing policy')
    .addOption(
      stringSlice('--replace-with-labels <labels>', 'Replace existing policies that match given labels'),
    )
    .addOption(outputOption())
    .option('--dry-run', 'Show what would change without sending anything')
    .option('--diff', 'Print the changes to stderr before sending them; with --via kubernetes field by field')
    .addOption(
      new Option(
        '--via <way>',
        "Where to send the policies: this node's agent, or the Kubernetes API; auto tries the agent first",
      )
        .choices(WAYS)
        .default('auto'),
    )
    .option('--kubeconfig <file>', 'How to reach the cluster (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'Context of the kubeconfig')
    .option('--force-conflicts', 'Take over fields of the objects that somebody else manages')
    .option(
      '--prune <selector>',
      'Remove policies with these labels that are not among those applied, if this program applied them before',
    )
    .option(
      '--undo-file <path>',
      'File to save pruned policies to (default /var/lib/cilium-toolkit/pruned-TIME.json)',
    );
  addPolicyFileOptions(command);
  addWaitOptions(command, 'every endpoint has realized the new revision');
  command.addHelpText(
    'after',
    examples(
      'cilium policy import policy.yaml --dry-run',
      'cilium policy import policies/ --wait',
      'kubectl get cnp -A -o yaml | cilium policy import - --diff',
      'cilium policy import policies/ --via kubernetes --prune app.kubernetes.io/part-of=shop --dry-run',
    ),
  );
  command.action((path: string | undefined, options: ImportOptions) =>
    runPolicyImport(requiredArgument(command, path, 'path'), options, ctx),
  );
}

/** Checks everything first: one wrong document and nothing is sent. */
export async function runPolicyImport(path: string, options: ImportOptions, ctx: Context): Promise<void> {
  const release = options.via === 'kubernetes' ? undefined : await releaseOfAgent(ctx);
  // An agent drops without a word what came after it: it is refused here, as --target refuses it.
  const target = options.target ?? (release === NEWEST_RELEASE ? undefined : release);
  const policies = await ctx.computing(() =>
    loadValidPolicies([path], { ...parseOptionsOf(options), target }, ctx, `Cannot parse policy ${path}`),
  );
  if (options.prune !== undefined) checkPrune(options);
  if (policies.rules.length === 0) return ctx.out.write('No policy specified');
  if (options.via === 'kubernetes') return applyObjects(policies, options, ctx);
  refuseEmptyPeers(policies);
  refuseClusterPolicies(policies);
  const rules = canonicalRules(policies.rules.map(({ rule }) => rule));
  if (options.dryRun) return showDifference(rules, options, ctx, ctx.out);
  if (options.diff) await showDifference(rules, options, ctx, ctx.err);
  const agent = await ctx.agent();
  const answer = await putPolicy(agent, goJson(rules, 2), replacement(options, release)).catch(
    (error: unknown) => {
      if (isMissingOperation(error)) return undefined;
      return writeFailed('Cannot import policy', 'cilium policy get')(error);
    },
  );
  if (answer === undefined) return insteadOfAgent(policies, options, ctx);
  await printAnswer(answer, options, ctx);
}

/** Agents before 1.15 add rules only: what they do not know is not sent to them, and not dropped without a word. */
function replacement(options: ImportOptions, release: Release | undefined): Replacement | undefined {
  const { replace = false, replaceWithLabels } = options;
  if (release === undefined || atLeast(release, '1.15')) return { replace, replaceWithLabels };
  if (replace || replaceWithLabels.length > 0)
    throw new UserError(`agents of Cilium ${release} do not replace rules: --replace came with 1.15`, {
      hint: 'Delete the old rules first: cilium policy delete LABEL.',
    });
  return undefined;
}

async function printAnswer(answer: Answer<AgentPolicy>, options: ImportOptions, ctx: Context): Promise<void> {
  const { policy, revision } = answer.decode();
  if (options.wait) {
    await readBack(ctx, options, `policy revision ${revision} on every endpoint`, async () => {
      const { ready, total, late } = await countRealized(revision, await ctx.agent());
      return ready === total || `${late.slice(0, 3).join(', ')}${late.length > 3 ? ' and others' : ''}`;
    });
  }
  if (options.output) return writeAnswer(ctx, options.output, answer);
  await ctx.out.write(`${options.print ? `${sanitize(policy)}\n` : ''}Revision: ${revision}\n`);
}

function checkPrune({ prune, via }: ImportOptions): void {
  if (via !== 'kubernetes')
    throw new UserError('--prune needs --via kubernetes: an agent knows no sets of objects');
  if (!prune?.trim())
    throw new UserError(
      '--prune needs labels, such as app.kubernetes.io/part-of=shop: without them every policy would go',
    );
}

/** For an agent that accepts no policies: Kubernetes objects can still be applied to the cluster. */
async function insteadOfAgent(policies: LoadedPolicies, options: ImportOptions, ctx: Context): Promise<void> {
  const refused = noPolicyApi('takes', undefined);
  const plain = policies.rules.some(({ origin }) => origin.kind === 'rule');
  if (options.via === 'agent' || plain || options.replace || options.replaceWithLabels.length > 0)
    throw refused;
  const { hasKubeconfig } = await import('../../kube/config.ts');
  if (!(await hasKubeconfig(ctx.env, options.kubeconfig))) throw refused;
  await ctx.err.write(
    'This agent does not accept policies through its API: applying the objects to the cluster.\n',
  );
  return applyObjects(policies, options, ctx);
}

async function applyObjects(policies: LoadedPolicies, options: ImportOptions, ctx: Context): Promise<void> {
  const plain = policies.rules.find(({ origin }) => origin.kind === 'rule');
  if (plain)
    throw new UserError(
      `${plain.origin.source.file} contains rules in the agent's own form, which Kubernetes does not accept`,
      {
        hint: 'Put each rule under "spec" of a CiliumNetworkPolicy.',
      },
    );
  if (options.replace || options.replaceWithLabels.length > 0)
    throw new UserError(
      '--replace and --replace-with-labels only work with the agent; a Kubernetes object replaces the one of the same name',
    );
  const { applyPolicyObjects } = await import('../../kube/apply.ts');
  const objects = policies.objects.map(({ value, name }) => ({ value, namespace: name.namespace }));
  const dryRun = options.dryRun === true;
  const cluster = {
    env: ctx.env,
    signal: ctx.signal,
    timeoutMs: ctx.globals.timeoutMs,
    kubeconfig: options.kubeconfig,
    context: options.context,
  };
  const forceConflicts = options.forceConflicts === true;
  const progress = new ProgressLine(ctx.err);
  const onChecked = (count: number) =>
    count < objects.length
      ? progress.show(`${count} of ${objects.length} objects checked`)
      : progress.clear();
  const to = dryRun ? ctx.out : ctx.err;
  const onChanges = options.diff
    ? async (name: string, changes: readonly FieldChange[] | undefined) => {
        const { renderFieldChanges } = await import('../../render/cluster/objects.ts');
        await progress.clear();
        await to.write(renderFieldChanges(name, changes));
      }
    : undefined;
  // What the agents have before tells that they have more afterwards.
  const watch = options.wait && !dryRun ? await watchAgents(cluster, ctx) : undefined;
  const results = applyPolicyObjects(objects, {
    ...cluster,
    dryRun,
    forceConflicts,
    onChecked,
    onChanges,
    compare: watch !== undefined,
  });
  const uids: string[] = [];
  let changed = 0;
  const names = new Set<string>();
  let [wrong, applied] = [0, 0];
  for await (const { name, outcome, error, hint, uid, isChanged, isThere } of ended(results, () =>
    progress.clear(),
  )) {
    if (error === undefined) {
      applied++;
      if (uid !== undefined) uids.push(uid);
      if (isChanged) changed++;
      names.add(name);
      await ctx.out.write(
        `${name} ${isThere ? 'unchanged' : outcome}${options.dryRun ? ' (dry run)' : ''}\n`,
      );
    } else {
      wrong++;
      await ctx.err.write(`${sanitizeCell(`${name}: ${error}`)}\n${hint ? `${hint}\n` : ''}`);
    }
  }
  if (wrong > 0)
    throw new UserError(
      `${wrong} of ${objects.length} objects could not be applied${applied === 0 ? ': nothing was changed' : ''}`,
    );
  if (options.prune !== undefined) {
    const { prunePolicies } = await import('../../cli/policy/prune.ts');
    const { prune: selector, undoFile } = options;
    await prunePolicies({ ...cluster, selector, applied: names, dryRun, undoFile }, ctx);
  }
  await watch?.until({ changed, uids }, options.waitTimeout);
}

async function watchAgents(cluster: Cluster, ctx: Context): Promise<RealizedWatch> {
  const { RealizedWatch } = await import('../../cli/policy/realized-watch.ts');
  return RealizedWatch.open(cluster, ctx);
}

/** Results as they come, and what is done when there are no more, or they fail. */
async function* ended<T>(results: AsyncIterable<T>, done: () => Promise<void>): AsyncGenerator<T> {
  try {
    yield* results;
  } finally {
    await done();
  }
}
