import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { KNOWN_RELEASES, type Release } from '../../model/release.ts';
import { type ParseOptions, type Policies, parsePolicies } from '../../policy/read/policies.ts';
import { renderFindings } from '../../render/policy/findings.ts';
import { NO_COLOR, paletteFor } from '../../render/text/palette.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { type PolicyFile, readPolicyFiles } from './files.ts';

/** What `addPolicyFileOptions` adds to a command. */
export interface PolicyFileFlags {
  strict: boolean;
  target?: Release;
  namespace?: string;
  clusterNetworkPolicy?: 'on' | 'off';
}

/** How the flags say that policies are read. */
export function parseOptionsOf({
  strict,
  target,
  namespace,
  clusterNetworkPolicy,
}: PolicyFileFlags): ParseOptions {
  const read = clusterNetworkPolicy && clusterNetworkPolicy === 'on';
  return { strict, target, namespace, clusterNetworkPolicy: read };
}

/** Adds the flags of every verb that reads policy files. */
export function addPolicyFileOptions(command: Command): Command {
  return command
    .option('--no-strict', 'Ignore unknown fields and match field names in any case')
    .addOption(
      new Option(
        '--target <version>',
        'Cilium release to check for (default: 1.17 for JSON rules, 1.20 for Kubernetes objects)',
      ).choices(KNOWN_RELEASES),
    )
    .option(
      '-n, --namespace <name>',
      'Namespace for Kubernetes objects that do not name one (default "default")',
    )
    .addOption(clusterNetworkPolicyOption('not known, and then a ClusterNetworkPolicy is an error'));
}

/** Whether agents read ClusterNetworkPolicy; `otherwise` says what is assumed without the flag. */
export function clusterNetworkPolicyOption(otherwise: string): Option {
  return new Option(
    '--cluster-network-policy <state>',
    `Whether agents of 1.20 read ClusterNetworkPolicy, which their option enable-k8s-cluster-network-policy turns on: on or off (default: ${otherwise})`,
  ).choices(['on', 'off']);
}

/** Policies and the files they came from. */
export interface LoadedPolicies extends Policies {
  files: string[];
}

/** Reads and checks policies of files and folders. Errors are in `findings`. */
export async function loadPolicies(
  paths: readonly string[],
  options: ParseOptions,
  ctx: Context,
  what: string,
): Promise<LoadedPolicies> {
  const files: PolicyFile[] = [];
  for (const path of paths) files.push(...(await readPolicyFiles(path, ctx, what)));
  const policies = await parsePolicies(files, options);
  return { ...policies, files: files.map(({ file }) => file) };
}

/** Loads policies that must be valid: prints warnings to stderr, and throws when there are errors. */
export async function loadValidPolicies(
  paths: readonly string[],
  options: ParseOptions,
  ctx: Context,
  what: string,
): Promise<LoadedPolicies> {
  const policies = await loadPolicies(paths, options, ctx, what);
  await writeWarnings(policies, ctx);
  const unreadable = policies.findings.some(({ code }) => code === 'syntax');
  throwErrors(policies, unreadable ? `${what}: ` : '');
  return policies;
}

/** Prints the warnings on stderr. */
export async function writeWarnings({ findings }: Policies, ctx: Context): Promise<void> {
  const warnings = findings.filter(({ severity }) => severity === 'warning');
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.err.isTTY);
  if (warnings.length > 0) await ctx.err.write(renderFindings(warnings, palette));
}

/** Throws when a policy has errors: a single one in the agent's words, several as a list. */
export function throwErrors({ findings }: Policies, prefix: string): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return;
  const list = renderFindings(errors, NO_COLOR).trimEnd();
  if (errors.length > 1)
    throw new UserError(`${prefix}${errors.length} errors in the policy`, { hint: list });
  // The headline already has the message.
  const [place = '', ...rest] = list.split('\n');
  const where = place.slice(0, place.indexOf(': error: '));
  throw new UserError(`${prefix}${sanitize(first.message)}`, { hint: [where, ...rest].join('\n') });
}
