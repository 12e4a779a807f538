import type { Command } from 'commander';
import { readAll } from '../../../bpf/kernel/reader.ts';
import { encodePolicyKey, policyVariant } from '../../../bpf/maps/policy-map.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { openPolicyMap } from './dump.ts';
import { parseRule, type RuleKey, type RuleWords, ruleText } from './rule.ts';

/** Declares `bpf policy delete`. */
export function addBpfPolicyDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf policy delete 637 ingress 178992 7070/tcp --dry-run'));
  writeFlags(
    command
      .argument('<endpoint>', 'number of the endpoint, or its pod as NAMESPACE/NAME')
      .argument('<traffic-direction>', 'ingress or egress')
      .argument('<identity>', 'number of the identity at the other end')
      .argument('[port/proto]', 'port and protocol such as 80/tcp (default: all)')
      // Agents up to 1.17 took it; the key of an entry is the same either way.
      .option('--deny', 'Accepted for compatibility with older releases; has no effect'),
  ).action(
    (
      endpoint: string,
      direction: string,
      identity: string,
      ports: string | undefined,
      options: WriteOptions,
    ) => runBpfPolicyDelete(endpoint, { direction, identity, ports }, options, ctx),
  );
}

/** Takes entries out of an endpoint's policy map. */
export async function runBpfPolicyDelete(
  endpoint: string,
  words: RuleWords,
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const rules = parseRule(words);
  using map = await openPolicyMap(ctx, endpoint, { write: !options.dryRun });
  const variant = policyVariant(map);
  const keys = rules.map((rule) => encodePolicyKey(variant, rule));
  const present = await readAll(map);
  if (!keys.some((key) => present.some((entry) => entry.key.equals(key)))) throw noSuchEntry(endpoint, rules);
  const what = `delete from ${words.direction} of endpoint ${endpoint}: ${rules.map(ruleText).join(', ')}`;
  if (!(await mayWrite(ctx, what, options))) return;
  if (!keys.map((key) => map.delete(key)).some(Boolean)) throw noSuchEntry(endpoint, rules);
}

function noSuchEntry(endpoint: string, rules: readonly RuleKey[]): UserError {
  return new UserError(
    `Cannot delete policy key '${rules.map(ruleText).join(', ')}': there is no such entry`,
    { hint: `See "cilium bpf policy get ${endpoint} -n" for the entries.` },
  );
}
