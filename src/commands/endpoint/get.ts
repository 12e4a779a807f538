import type { Command } from 'commander';
import { findEndpoints, readEndpoint } from '../../agent/decode/endpoints.ts';
import { failed } from '../../cli/answer.ts';
import { examples, stringSlice } from '../../cli/flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { isRecord } from '../../lib/record.ts';
import { atLeast } from '../../model/release.ts';
import { endpointArgument } from './argument.ts';

interface EndpointGetOptions extends OutputFlag {
  labels: string[];
}

/** Declares `endpoint get`. */
export function addEndpointGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium endpoint get 637',
        'cilium endpoint get shop/redis-0 -o json',
        "cilium endpoint get -l k8s:app=cart -o jsonpath='{[*].status.identity.id}'",
      ),
    )
    .argument('[endpoint]', 'number, pod as NAMESPACE/NAME, or prefix:value such as ipv4:10.244.0.85')
    .addOption(stringSlice('-l, --labels <labels>', 'List of labels'))
    .addOption(outputOption())
    .action((endpoint: string | undefined, options: EndpointGetOptions) =>
      runEndpointGet(endpoint, options, command, ctx),
    );
}

async function runEndpointGet(
  endpoint: string | undefined,
  options: EndpointGetOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  if (options.labels.length > 0 && endpoint !== undefined)
    throw new UsageError('Cannot provide both endpoint ID and labels arguments concurrently');
  const agent = await ctx.agent();
  if (options.labels.length > 0) {
    const what = `Cannot get endpoints for given list of labels [${options.labels.join(' ')}]`;
    const answer = await findEndpoints(agent, options.labels).catch(failed(what));
    return show(answer.document, options, ctx);
  }
  const id = (await endpointArgument(command, endpoint, ctx)).text;
  const { document } = await readEndpoint(agent, id).catch(failed(`Cannot get endpoint ${id}`));
  await show([document], options, ctx);
}

/** Without a format it is JSON, whose inner texts are written out up to 1.16, and on the way to 1.17. */
async function show(endpoints: unknown, { output }: EndpointGetOptions, ctx: Context): Promise<void> {
  if (output || !hasOldOptions(endpoints) || atLeast(await releaseOfForms(ctx, '1.16'), '1.17'))
    return writeStructured(ctx, output || 'json', endpoints, 'Endpoint[]');
  const { expandedJson } = await import('../../render/text/nested-json.ts');
  await ctx.out.write(`${expandedJson(endpoints)}\n\n`);
}

/** Endpoints had a switch for their own table of connections up to 1.17. */
function hasOldOptions(endpoints: unknown): boolean {
  if (!Array.isArray(endpoints)) return false;
  return endpoints.some((endpoint: unknown) => {
    const spec = isRecord(endpoint) && isRecord(endpoint.spec) ? endpoint.spec : {};
    return isRecord(spec.options) && 'ConntrackLocal' in spec.options;
  });
}
