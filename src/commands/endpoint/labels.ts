import type { Command } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { isEndpointReady, patchEndpointLabels, readEndpointLabels } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples, stringSlice } from '../../cli/flags.ts';
import { isAgentAtLeast } from '../../cli/release.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { formatLabel, type Label, labelsByKey, parseLabel } from '../../model/label.ts';
import { renderEndpointLabels } from '../../render/agent/endpoint.ts';
import { endpointArgument } from './argument.ts';

interface EndpointLabelsOptions extends WaitFlags {
  add: string[];
  delete: string[];
}

/** Declares `endpoint labels`. */
export function addEndpointLabelsCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium endpoint labels shop/redis-0',
        'cilium endpoint labels 637 --add user:team=blue --wait',
      ),
    )
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value')
    .addOption(stringSlice('-a, --add <labels>', 'Add/enable labels'))
    .addOption(stringSlice('-d, --delete <labels>', 'Delete/disable labels'))
    .action(async (endpoint: string | undefined, options: EndpointLabelsOptions, self: Command) =>
      // As in the reference, the API is asked for the value without its prefix.
      runEndpointLabels((await endpointArgument(self, endpoint, ctx)).value, options, ctx),
    );
  addWaitOptions(command, 'the endpoint is ready with its new labels');
}

async function runEndpointLabels(id: string, options: EndpointLabelsOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  if (options.add.length > 0 || options.delete.length > 0) await changeLabels(agent, id, options, ctx);
  const labels = await readEndpointLabels(agent, id).catch(failed('Cannot get endpoint labels'));
  const enabled = labelsByKey([...labels.user, ...labels.securityRelevant]);
  const disabled = labelsByKey(labels.disabled);
  const braced = !(await isAgentAtLeast(ctx, '1.15'));
  await ctx.out.write(renderEndpointLabels([...enabled.values()], [...disabled.values()], { braced }));
}

/** Adds and removes user labels: those of the pod stay as they are. */
async function changeLabels(
  agent: AgentClient,
  id: string,
  options: EndpointLabelsOptions,
  ctx: Context,
): Promise<void> {
  const what = `Cannot modify labels of endpoint ${id}`;
  const before = await readEndpointLabels(agent, id).catch(failed(what));
  const user = labelsByKey(before.user);
  const gone: Label[] = [];
  const labelOf = (text: string): Label => {
    const label = parseLabel(text);
    if (label.key === '') throw new UserError(`${what}: "${text}" is not a label`);
    return label;
  };
  for (const text of options.add) {
    const label = labelOf(text);
    const held = user.get(label.key);
    if (held === undefined) user.set(label.key, label);
    else if (!same(held, label))
      await ctx.err.write(
        `Note: endpoint ${id} has ${JSON.stringify(formatLabel(held))}, which stays: delete it first to add ${JSON.stringify(text)}.\n`,
      );
  }
  for (const text of options.delete) {
    const label = labelOf(text);
    if (user.delete(label.key)) gone.push(label);
    else
      await ctx.err.write(
        `Note: ${JSON.stringify(text)} is not a label that was added to endpoint ${id}: nothing to delete.\n`,
      );
  }
  const labels = [...user.values()].map(formatLabel);
  await patchEndpointLabels(agent, id, labels).catch(writeFailed(what, `cilium endpoint labels ${id}`));
  await readBack(ctx, options, `the new labels of endpoint ${id}`, async () => {
    const now = labelsByKey((await readEndpointLabels(agent, id)).user);
    const shown =
      [...user.values()].every((label) => same(now.get(label.key), label)) &&
      gone.every((label) => !now.has(label.key));
    return shown && (!options.wait || (await isEndpointReady(agent, id)));
  });
}

function same(a: Label | undefined, b: Label): boolean {
  return a !== undefined && formatLabel(a) === formatLabel(b);
}
