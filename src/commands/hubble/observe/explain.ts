import { connectHubble } from '../../../cli/hubble/server.ts';
import type { Settings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { errorMessage } from '../../../errors.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import type { FlowQuery } from './request.ts';
import type { Where } from './where.ts';

/** Says what of a query the source does, and what is left to do here. */
export function explainQuery(
  { filters, mask, selection }: FlowQuery,
  where: Where | undefined,
  fromFile: boolean,
): string {
  const lines = [
    `${fromFile ? 'Applied to the file' : 'Sent to the server'}: ${filters.allow.length} allow, ${filters.deny.length} deny filters`,
    ...filters.allow.map((filter) => `  allow ${JSON.stringify(filter)}`),
    ...filters.deny.map((filter) => `  deny  ${JSON.stringify(filter)}`),
    where
      ? where.exact
        ? 'Evaluated here: nothing, the filters say the same'
        : `Evaluated here: ${where.source}`
      : 'Evaluated here: nothing, there is no --where',
    ...(fromFile ? [] : [`Fields asked for: ${mask.length === 0 ? 'all' : mask.join(', ')}`]),
    `Range: ${selection.follow ? 'follow' : `number ${selection.number}`}${selection.since ? ', since a time' : ''}${selection.until ? ', until a time' : ''}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Says why a file gave nothing. */
export function explainEmptyFile({ filters }: FlowQuery, where: Where | undefined): string {
  return isFiltered(filters, where)
    ? 'Nothing came: no flow of the file passes the filters.\n'
    : 'Nothing came: the file holds no flows of that time.\n';
}

/** Says why a server gave nothing: no traffic, all filtered, overwritten, or a node that is not available. */
export async function explainEmptyServer(
  { filters, selection, mask }: FlowQuery,
  where: Where | undefined,
  settings: Settings,
  ctx: Context,
): Promise<string> {
  if (settings.contexts.length > 1) {
    const ofEach = settings.contexts.map(
      async (context) =>
        `${sanitizeCell(context)}: ${await explainEmptyServer({ filters, selection, mask }, where, settings.of(context), ctx)}`,
    );
    return (await Promise.all(ofEach)).join('');
  }
  try {
    await using client = await connectHubble(settings, ctx);
    const status = await client.call('/observer.Observer/ServerStatus', {});
    const { unavailable_nodes: unavailable = [], max_flows: capacity = '0' } = status;
    const held = Number(status.num_flows ?? 0);
    const reasons = [
      held === 0 && 'the server has seen no traffic yet',
      unavailable.length > 0 && `nodes that are not available: ${unavailable.join(', ')}`,
      held > 0 &&
        isFiltered(filters, where) &&
        `the server holds ${held} flows, and none of those asked for passes the filters`,
      held > 0 &&
        held >= Number(capacity) &&
        `its buffer of ${capacity} flows is full: older ones were overwritten`,
      (selection.since || selection.until) &&
        'the time asked for may lie before the oldest flow that it holds',
    ].filter((reason) => typeof reason === 'string');
    return `Nothing came: ${reasons.length > 0 ? reasons.join('; ') : 'the server had nothing to send'}.\n`;
  } catch (error) {
    return `Nothing came, and the server does not tell why: ${errorMessage(error)}\n`;
  }
}

function isFiltered({ allow, deny }: FlowQuery['filters'], where: Where | undefined): boolean {
  return where !== undefined || allow.length > 0 || deny.length > 0;
}
