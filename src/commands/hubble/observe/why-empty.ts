import type { Context } from '../../../context.ts';
import { errorMessage } from '../../../errors.ts';
import { connectHubble } from '../server.ts';
import type { OwnJob } from './own.ts';

/** Says why an observation showed nothing: no traffic, all filtered, overwritten, or a node that is away. */
export async function whyEmpty(
  { settings, selection, filters, flags }: OwnJob,
  hasWhere: boolean,
  ctx: Context,
): Promise<string> {
  const filtered = hasWhere || filters.allow.length > 0 || filters.deny.length > 0;
  if (flags.inputFile.length > 0)
    return filtered
      ? 'Nothing came: no flow of the file passes the filters.'
      : 'Nothing came: the file holds no flows of that time.';
  try {
    await using client = await connectHubble(settings, ctx);
    const status = await client.call('/observer.Observer/ServerStatus', {});
    const held = Number(status.num_flows ?? 0);
    const reasons = [
      ...(held === 0 ? ['the server has seen no traffic yet'] : []),
      ...((status.unavailable_nodes ?? []).length > 0
        ? [`nodes that are not available: ${status.unavailable_nodes?.join(', ')}`]
        : []),
      ...(held > 0 && filtered
        ? [`the server holds ${held} flows, and none of those asked for passes the filters`]
        : []),
      ...(held > 0 && held >= Number(status.max_flows ?? 0)
        ? [`its buffer of ${status.max_flows} flows is full: older ones were overwritten`]
        : []),
      ...(selection.since || selection.until
        ? ['the time asked for may lie before the oldest flow that it holds']
        : []),
    ];
    return `Nothing came: ${reasons.length > 0 ? reasons.join('; ') : 'the server had nothing to send'}.`;
  } catch (error) {
    return `Nothing came, and the server does not tell why: ${errorMessage(error)}`;
  }
}
