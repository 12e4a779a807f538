import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';
import { deleteAt } from '../../kube/leftovers.ts';
import { namespacePath } from '../../kube/paths.ts';
import { podsPath } from '../../kube/pods.ts';
import { isTestNamespace } from '../../model/leftovers.ts';
import { isOfTests, OWNER, OWNER_LABEL } from '../../model/test-labels.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import type { Patience } from './patience.ts';

/**
 * The namespace that a flag names, none where it is not there. Throws UserError where neither its name nor its labels say that it is
 * of connectivity tests.
 */
export async function namedTestNamespace(client: KubeClient, name: string, ctx: Context): Promise<string[]> {
  const found = name === '' ? undefined : await client.find<KubeObject>({ path: namespacePath(name) });
  if (!found) {
    await ctx.err.write(`Note: there is no namespace "${sanitizeCell(name)}" of tests.\n`);
    return [];
  }
  if (isTestNamespace(name) || isOfTests(found.metadata?.labels)) return [name];
  throw new UserError(`the namespace ${name} is not of connectivity tests: nothing was changed`, {
    hint: `It lacks their labels (${OWNER_LABEL}=${OWNER}, or app.kubernetes.io/name=cilium-cli). If all in it may go: kubectl delete namespace ${name}`,
  });
}

/** Deletes namespaces of tests, with `patience` until they are gone. Returns what failed, a line each. */
export async function removeTestNamespaces(
  client: KubeClient,
  names: readonly string[],
  patience: Patience | undefined,
  ctx: Context,
): Promise<string[]> {
  const failures: string[] = [];
  for (const name of names) {
    const shown = sanitizeCell(name);
    try {
      await ctx.out.write(`🔥 Deleting pods in ${shown} namespace...\n`);
      await deleteAt(client, podsPath(name));
      await ctx.out.write(`🔥 Deleting ${shown} namespace...\n`);
      await deleteAt(client, namespacePath(name));
      if (!patience) continue;
      await ctx.out.write(`⌛ Waiting for ${shown} namespace to be terminated...\n`);
      const path = namespacePath(name);
      let last: KubeObject | undefined;
      const isGone = await patience.until(async () => {
        last = await client.find<KubeObject>({ path });
        return last === undefined;
      });
      if (!isGone) failures.push(`namespace ${name} is not gone: ${whyHeld(last)}`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(`namespace ${name}: ${wordsOf(error)}`);
    }
  }
  return failures;
}

/** What the server says of a namespace that does not go. */
function whyHeld(namespace: KubeObject | undefined): string {
  const { conditions = [] } =
    (namespace as { status?: { conditions?: { status?: string; message?: string }[] } } | undefined)
      ?.status ?? {};
  const told = conditions.flatMap(({ status, message }) => (status === 'True' && message ? [message] : []));
  return told.join('; ') || 'the time is up';
}
