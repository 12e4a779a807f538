import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { explainFlow } from '../../cli/policy/explain-flow.ts';
import {
  addFlowOptions,
  askHubble,
  type FlowFlags,
  parseFlow,
  readFlowFile,
} from '../../cli/policy/flows.ts';
import { addRulesOption, addStateOptions, type StateFlags } from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import type { DropReason, FlowFilter } from '../../model/hubble.gen.ts';
import { type FlowRecord, isPolicyDrop } from '../../policy/evaluate/decide/connections.ts';
import { renderWhy } from '../../render/policy/why.ts';

interface WhyOptions extends FlowFlags, StateFlags {
  lastDrop?: boolean;
  rules: string[];
  output: string;
}

/** Declares `policy why`. */
export function addPolicyWhyCommand(command: Command, ctx: Context): void {
  addFlowOptions(command.argument('[flow]', 'UUID of a flow, or a flow as JSON'));
  command.option('--last-drop', 'Explain the last flow that policy dropped');
  addRulesOption(command);
  addStateOptions(command, 'agent, unless there are --rules')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'cilium policy why --last-drop',
        'cilium policy why --last-drop --from cilium-sysdump.zip',
        'cilium policy why 8f3c2a4e-0a9b-4c11-8d7f-2f1f6d0e9c55 --flows capture.jsonl',
      ),
    )
    .action((flow: string | undefined, options: WhyOptions) => runPolicyWhy(flow, options, command, ctx));
}

/** Finds the flow, decides it and prints the explanation. */
export async function runPolicyWhy(
  text: string | undefined,
  options: WhyOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  const flow = await findFlow(text, options, command, ctx);
  const answer = await explainFlow(flow, options, ctx);
  if (options.output) await writeStructured(ctx, options.output, answer);
  else await ctx.out.write(renderWhy(answer));
}

const DROPS: DropReason[] = ['POLICY_DENIED', 'POLICY_DENY', 'AUTH_REQUIRED'];

async function findFlow(
  text: string | undefined,
  options: WhyOptions,
  command: Command,
  ctx: Context,
): Promise<FlowRecord> {
  if (text?.trimStart().startsWith('{')) return parseFlow(text);
  if (text === undefined && !options.lastDrop)
    throw new UsageError('Missing flow', {
      hint: 'Pass a flow in JSON, the UUID of a flow, or --last-drop.',
    });
  const filter: FlowFilter = text === undefined ? { drop_reason_desc: DROPS } : { uuid: [text] };
  const flows =
    options.flows === undefined ? askHubble(command, ctx, 1, filter) : readFlowFile(ctx, options.flows);
  let found: FlowRecord | undefined;
  for await (const flow of flows) {
    if (text === undefined ? isPolicyDrop(flow) : flow.uuid === text) found = flow;
    if (found && text !== undefined) break;
  }
  if (found) return found;
  const where = options.flows ?? 'Hubble';
  throw new UserError(
    text === undefined
      ? `no flow of ${where} was dropped by policy`
      : `no flow of ${where} has the UUID ${text}`,
  );
}
