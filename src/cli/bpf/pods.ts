import { listEndpointRows } from '../../agent/decode/endpoints.ts';
import type { Context } from '../../context.ts';

/** Names of the pods of this node by address, from the agent. */
export async function podNames(ctx: Context): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const endpoints = (await listEndpointRows(await ctx.agent())).decode();
  for (const { namespace, pod, addresses } of endpoints)
    for (const ip of [addresses?.ipv4, addresses?.ipv6]) if (ip && pod) names.set(ip, `${namespace}/${pod}`);
  return names;
}
