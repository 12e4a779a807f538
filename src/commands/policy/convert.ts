import { type Command, Option } from 'commander';
import { examples, requiredArgument } from '../../cli/flags.ts';
import { refuseClusterPolicies, refuseEmptyPeers } from '../../cli/policy/agent-form.ts';
import {
  addPolicyFileOptions,
  type LoadedPolicies,
  loadValidPolicies,
  type PolicyFileFlags,
  parseOptionsOf,
} from '../../cli/policy/load.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { POD_NAMESPACE } from '../../model/label.ts';
import { canonicalRules } from '../../policy/language/canonical.ts';
import { asObject, nameInLabels } from '../../policy/read/as-object.ts';
import { positionOf } from '../../policy/rule.ts';
import { goJson } from '../../render/text/json.ts';

const FORMS = ['yaml', 'json'] as const;

interface ConvertOptions extends PolicyFileFlags {
  output: (typeof FORMS)[number];
  name?: string;
}

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Declares `policy convert`. */
export function addPolicyConvertCommand(command: Command, ctx: Context): void {
  command
    .argument(
      '[paths...]',
      'files, folders, or - for stdin: all rules of the agent, or all Kubernetes objects',
    )
    .addOption(
      new Option('-o, --output <format>', 'Form of the objects that rules become')
        .choices(FORMS)
        .default('yaml'),
    )
    .option('--name <name>', 'Name of the objects where the labels of a rule give none (default "policy")');
  addPolicyFileOptions(command);
  command.addHelpText(
    'after',
    examples(
      'cilium policy convert rules.json --name shop > shop.yaml',
      "cilium policy get -o jsonpath='{.policy}' | cilium policy convert - -o json",
      'kubectl get cnp -n shop -o yaml | cilium policy convert -',
    ),
  );
  command.action((paths: string[], options: ConvertOptions) => {
    requiredArgument(command, paths[0], 'path');
    return runPolicyConvert(paths, options, ctx);
  });
}

/** Writes rules of the agent's own form as Kubernetes objects, and such objects as rules. */
export async function runPolicyConvert(
  paths: readonly string[],
  options: ConvertOptions,
  ctx: Context,
): Promise<void> {
  if (options.name !== undefined && !NAME.test(options.name))
    throw new UserError(`--name: "${options.name}" is no name of an object`, {
      hint: 'Expected lower case letters, digits and -, such as shop-web.',
    });
  const policies = await loadValidPolicies(paths, parseOptionsOf(options), ctx, 'Cannot convert');
  if (policies.rules.length === 0) throw new UserError('there is no rule to convert');
  const plain = policies.rules.filter(({ origin }) => origin.kind === 'rule');
  if (plain.length === 0) return toRules(policies, ctx);
  if (plain.length < policies.rules.length)
    throw new UserError('some are rules of the agent and some Kubernetes objects', {
      hint: 'Convert those of one form at a time: rules become objects, and objects rules.',
    });
  await toObjects(policies, options, ctx);
}

async function toRules(policies: LoadedPolicies, ctx: Context): Promise<void> {
  refuseEmptyPeers(policies);
  refuseClusterPolicies(policies);
  await ctx.out.write(`${goJson(canonicalRules(policies.rules.map(({ rule }) => rule)), 2)}\n`);
}

async function toObjects(
  { rules }: LoadedPolicies,
  { name: given = 'policy', output, target }: ConvertOptions,
  ctx: Context,
): Promise<void> {
  const used = new Map<string, number>();
  const objects: Record<string, unknown>[] = [];
  const narrowed: string[] = [];
  for (const { rule, origin } of rules) {
    const wanted = nameInLabels(rule) ?? given;
    const namespace = rule.endpointSelector?.matchLabels?.[`k8s:${POD_NAMESPACE}`] ?? '';
    const before = used.get(`${namespace}/${wanted}`) ?? 0;
    used.set(`${namespace}/${wanted}`, before + 1);
    const name = before === 0 ? wanted : `${wanted}-${before + 1}`;
    const written = await asObject(rule, name, target);
    if (!written) {
      const { file, line, column } = positionOf(origin);
      throw new UserError(`${file}:${line}:${column}: no Kubernetes object says what this rule says`, {
        hint: 'An agent would make another rule of it, so nothing was written.',
      });
    }
    objects.push(written.value);
    if (written.podsOnly) narrowed.push(name);
  }
  if (narrowed.length > 0)
    await ctx.err.write(
      `Peers that name no namespace are pods of any namespace in an object, and nothing else: ${narrowed.join(', ')}\n`,
    );
  if (output === 'json') {
    const [only, ...more] = objects;
    const all = only && more.length === 0 ? only : { apiVersion: 'v1', kind: 'List', items: objects };
    return ctx.out.write(`${goJson(all, 2)}\n`);
  }
  const { goYaml } = await import('../../render/text/yaml.ts');
  await ctx.out.write(objects.map((object) => goYaml(object)).join('---\n'));
}
