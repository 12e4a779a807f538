import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { examples, integer } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import type { ServiceTarget } from '../../kube/service-road.ts';
import { forwardService } from './forward-service.ts';

interface UiFlags {
  portForward: number;
  openBrowser?: boolean;
}

const UI: ServiceTarget = {
  service: 'hubble-ui',
  container: 'frontend',
  title: 'Hubble UI',
  remedy: 'cilium hubble enable --ui installs it.',
};

/** Declares `hubble ui`. */
export function addHubbleUiCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      integer('--port-forward <port>', 'Local port to forward to, 0 for any', {
        min: 0,
        max: 65_535,
      }).default(12_000),
    )
    .option('--open-browser', 'Open the page in a browser; --open-browser=false only says where it is', true)
    .addHelpText(
      'after',
      examples('cilium hubble ui', 'cilium hubble ui --open-browser=false --port-forward 0'),
    )
    .action((flags: UiFlags) => runHubbleUi(flags, ctx));
}

/** Forwards a port of this machine to the page of Hubble UI until it is stopped. */
export async function runHubbleUi({ portForward, openBrowser }: UiFlags, ctx: Context): Promise<void> {
  try {
    await using client = await openCluster(ctx);
    const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
    await forwardService(client, { namespace, target: UI, port: portForward }, ctx, async (port) => {
      const url = `http://localhost:${port}`;
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

/** Whether there is a screen to open a browser on. One that does not start is no error: the address was said. */
function openInBrowser(url: string, { env }: Context): boolean {
  const isLinux = process.platform === 'linux';
  if (isLinux && !env.DISPLAY && !env.WAYLAND_DISPLAY) return false;
  const program = isLinux ? 'xdg-open' : 'open';
  spawn(program, [url], { env, stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
  return true;
}
