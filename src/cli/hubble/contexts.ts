import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { readKubeConfig, shownServer, takeContext } from '../../kube/config.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import type { Settings } from './settings.ts';

/**
 * Checks, before anybody is asked, that the kubeconfig has the contexts of the settings and that they lead to clusters which are not
 * the same. Throws UserError.
 */
export async function checkContexts(settings: Settings, ctx: Context): Promise<void> {
  const config = await readKubeConfig(ctx.env, { kubeconfig: settings.text('kubeconfig') || undefined });
  const seen = new Map<string, { context: string; user: string | undefined }>();
  for (const context of settings.contexts) {
    takeContext(config, context);
    const server = shownServer(config.getCurrentCluster()?.server ?? '');
    if (server === '') continue;
    const user = config.getContextObject(context)?.user;
    const same = seen.get(server);
    if (same === undefined) seen.set(server, { context, user });
    else if (same.user === user)
      throw new UserError(
        `the contexts "${same.context}" and "${context}" are the same cluster (${server}): each of its flows would come twice`,
        { hint: 'Name one of them.' },
      );
    // A gateway may lead different users to different clusters.
    else if (!ctx.globals.quiet)
      await ctx.err.write(
        `The contexts ${sanitizeCell(same.context)} and ${sanitizeCell(context)} have the same API server (${sanitizeCell(server)}): if that is one cluster, its flows come twice.\n`,
      );
  }
}
