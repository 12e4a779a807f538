import type { Command } from 'commander';
import { examples, integer } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { RELAY } from '../../kube/hubble-relay.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { forwardService } from './forward-service.ts';

/** Declares `hubble port-forward`. */
export function addHubblePortForwardCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      integer('--port-forward <port>', 'Local port to forward to, 0 for any', {
        min: 0,
        max: 65_535,
      }).default(4245),
    )
    .addHelpText(
      'after',
      examples(
        'cilium hubble port-forward &',
        'hubble observe --follow',
        'cilium hubble port-forward --port-forward 0 --context prod',
      ),
    )
    .action((options: { portForward: number }) => runHubblePortForward(options.portForward, ctx));
}

/** Forwards connections to a port of this machine until it is stopped, to whatever pod the relay runs in. */
export async function runHubblePortForward(port: number, ctx: Context): Promise<void> {
  try {
    await using client = await openCluster(ctx);
    const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
    await forwardService(client, { namespace, target: RELAY, port }, ctx, (local) =>
      ctx.out.write(`ℹ️  Hubble Relay is available at 127.0.0.1:${local}\n`),
    );
  } catch (error) {
    if (ctx.signal.aborted) return;
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`Unable to port forward: failed to port forward: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
