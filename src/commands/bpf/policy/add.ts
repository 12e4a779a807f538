import type { Command } from 'commander';
import {
  encodePolicyEntry,
  encodePolicyKey,
  type PolicyRule,
  policyVariant,
} from '../../../bpf/maps/policy-map.ts';
import { requireRoom } from '../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples, integer } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { openPolicyMap } from './dump.ts';
import { parseRule, type RuleWords, ruleText } from './rule.ts';

interface PolicyAddOptions extends WriteOptions {
  deny?: boolean;
  cookie: number;
}

/** Declares `bpf policy add`. */
export function addBpfPolicyAddCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium bpf policy add 637 ingress 178992 7070/tcp --dry-run',
      'cilium bpf policy add 637 egress 2 --deny --dry-run',
    ),
  );
  writeFlags(
    command
      .argument('<endpoint>', 'number of the endpoint, or its pod as NAMESPACE/NAME')
      .argument('<traffic-direction>', 'ingress or egress')
      .argument('<identity>', 'number of the identity at the other end')
      .argument('[port/proto]', 'port and protocol such as 80/tcp (default: all)')
      .option('--deny', 'Sets deny mode')
      .addOption(
        integer('--cookie <number>', 'Number that identifies the rule in policy logs', {
          min: 0,
          max: 0xffffffff,
        }).default(0),
      ),
  ).action(
    (
      endpoint: string,
      direction: string,
      identity: string,
      ports: string | undefined,
      options: PolicyAddOptions,
    ) => runBpfPolicyAdd(endpoint, { direction, identity, ports }, options, ctx),
  );
}

/** Writes entries into an endpoint's policy map. The agent takes them out again when it next syncs the map. */
export async function runBpfPolicyAdd(
  endpoint: string,
  words: RuleWords,
  options: PolicyAddOptions,
  ctx: Context,
): Promise<void> {
  const rules: PolicyRule[] = parseRule(words).map((key) => ({
    ...key,
    deny: options.deny ?? false,
    cookie: options.cookie,
  }));
  using map = await openPolicyMap(ctx, endpoint, { write: !options.dryRun });
  const variant = policyVariant(map);
  await requireRoom(
    map,
    rules.map((rule) => encodePolicyKey(variant, rule)),
  );
  const verb = options.deny ? 'deny' : 'allow';
  const what = `${verb} ${words.direction} of endpoint ${endpoint}: ${rules.map(ruleText).join(', ')}`;
  // Only a denial drops traffic: nobody is asked about an allowance.
  if (!(await mayWrite(ctx, what, { ...options, yes: options.yes || !options.deny }))) return;
  for (const rule of rules) map.update(encodePolicyKey(variant, rule), encodePolicyEntry(variant, rule));
}
