import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { byPosition, type Finding } from '../../model/finding.ts';
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

/** Reads and checks policies of files and folders. Errors are in `findings`, also those of reading files of a folder. */
export async function loadPolicies(
  paths: readonly string[],
  options: ParseOptions,
  ctx: Context,
  what: string,
): Promise<LoadedPolicies> {
  const files: PolicyFile[] = [];
  const findings: Finding[] = [];
  const unread: string[] = [];
  for (const path of paths) {
    const found = await readPolicyFiles(path, ctx, what, (file, error) => {
      findings.push(unreadable(file, error, what));
      unread.push(file);
    });
    // An empty file of JSON has an error of its own.
    if (
      unread.length === 0 &&
      found.every(({ file, text }) => isBlank(text) && (text.trim() !== '' || !file.endsWith('.json')))
    )
      findings.push(nothingIn(path));
    files.push(...found);
  }
  const policies = await parsePolicies(files, options);
  return {
    ...policies,
    findings: [...findings, ...policies.findings].toSorted(byPosition),
    files: [...files.map(({ file }) => file), ...unread],
  };
}

/** What cannot be read is a finding, so that the others are checked too. */
export function unreadable(file: string, error: UserError, what: string): Finding {
  return {
    severity: 'error',
    code: 'unreadable',
    message: error.message.replace(`${what}: `, ''),
    ...(error.hint !== undefined && { hint: error.hint }),
    position: { file, line: 1, column: 1 },
    path: [],
  };
}

/** Nothing was written, as of a pipe whose command failed: that is no policy that was found to be right. */
function nothingIn(path: string): Finding {
  return {
    severity: 'error',
    code: 'empty',
    message: path === '-' ? 'no policy came through the pipe' : 'there is no policy in it',
    hint: `${path === '-' ? 'Did the command before it fail? ' : ''}"[]" stands for no policies.`,
    position: { file: path, line: 1, column: 1 },
    path: [],
  };
}

/** How YAML writes nothing; a command such as jq writes it for a field that is not there. */
const NOTHING = new Set(['', 'null', 'Null', 'NULL', '~']);

/** Whether there are only comments, directives, marks between documents, and documents of nothing. */
function isBlank(text: string): boolean {
  for (const [line] of text.matchAll(/[^\n]+/g)) {
    const word = line
      .replace(/#.*/, '')
      .trim()
      .replace(/^(---|\.\.\.)/, '')
      .trim();
    if (!NOTHING.has(word) && !word.startsWith('%')) return false;
  }
  return true;
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

/** Throws when a policy has errors, with all of them as a list; a single one stands in the first line too, in the agent's words. */
export function throwErrors({ findings }: Policies, prefix: string): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return;
  const list = renderFindings(errors, NO_COLOR).trimEnd();
  const what = errors.length > 1 ? `${errors.length} errors in the policy` : sanitize(first.message);
  throw new UserError(`${prefix}${what}`, { hint: list });
}
