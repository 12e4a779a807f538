import { listEndpointRows } from '../agent/decode/endpoints.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { failed } from './answer.ts';

const POD = /^[^/:\s]+\/[^/:\s]+$/;
const MAX_NEAR = 5;

/** Whether a word names a pod: `NAMESPACE/NAME`, where the number of an endpoint may stand. */
export function isPod(word: string): boolean {
  return POD.test(word);
}

/** The number of the endpoint of a pod of this agent's node; any other word as it is. */
export async function endpointNumber(word: string, ctx: Context): Promise<string> {
  if (!isPod(word)) return word;
  const agent = await ctx.agent();
  const endpoints = (await listEndpointRows(agent).catch(failed(`Cannot look for pod ${word}`))).decode();
  const pods = endpoints.map(({ id, namespace, pod }) => ({ id, pod: `${namespace}/${pod}` }));
  const found = pods.filter(({ pod }) => pod === word);
  const [only] = found;
  if (only && found.length === 1) return String(only.id);
  if (only)
    throw new UserError(
      `the pod ${word} has ${found.length} endpoints: ${found.map(({ id }) => id).join(', ')}`,
      {
        hint: 'Name one by its number.',
      },
    );
  const near = pods.filter(({ pod }) => pod.startsWith(word)).slice(0, MAX_NEAR);
  throw new UserError(`no endpoint of this node belongs to a pod ${word}`, {
    hint:
      near.length > 0
        ? `Pods that begin so: ${near.map(({ pod }) => pod).join(', ')}.`
        : '"cilium endpoint list --columns id,namespace,pod" shows those of this node; --pod NAMESPACE/NAME asks the node of a pod.',
  });
}
