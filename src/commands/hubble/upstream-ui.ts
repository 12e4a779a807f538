import type { Command } from 'commander';
import { openInBrowser } from '../../cli/hubble/browser.ts';
import { readSettings, requireOneContext } from '../../cli/hubble/settings.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { KubeClient } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import type { ServiceTarget } from '../../kube/service-road.ts';
import { forwardService } from './forward-service.ts';

const UI: ServiceTarget = {
  service: 'hubble-ui',
  container: 'frontend',
  title: 'Hubble UI',
  remedy: 'cilium hubble enable --ui installs it.',
};

/** Forwards a port of this machine to the page of the cluster's own Hubble UI until it is stopped. */
export async function runUpstreamUi(
  command: Command,
  { localPort: port, openBrowser }: { localPort: number; openBrowser?: boolean },
  ctx: Context,
): Promise<void> {
  const settings = await readSettings(command, ctx);
  requireOneContext(settings);
  try {
    await using client = await KubeClient.open({
      env: ctx.env,
      signal: ctx.signal,
      kubeconfig: settings.text('kubeconfig') || undefined,
      context: settings.text('kube-context') || undefined,
    });
    const named = settings.has('kube-namespace') ? settings.text('kube-namespace') : undefined;
    const namespace = await ciliumNamespace(client, named);
    await forwardService(client, { namespace, target: UI, port }, ctx, async (taken) => {
      const url = `http://localhost:${taken}`;
      if (openBrowser !== false && openInBrowser(url, ctx))
        return ctx.out.write(`ℹ️  Opening "${url}" in your browser...\n`);
      await ctx.out.write(`ℹ️  Hubble UI is available at "${url}"\n`);
    });
  } catch (error) {
    if (ctx.signal.aborted) return;
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Unable to port forward: failed to port forward: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
