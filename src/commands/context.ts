import type { Command } from 'commander';
import { examples } from '../cli/flags.ts';
import type { Context } from '../context.ts';
import { sanitizeCell } from '../render/text/sanitize.ts';

/** Declares `context`. */
export function addContextCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium context', 'cilium context --context kind-kind'))
    .action(() => runContext(ctx));
}

/** Prints which cluster the kubeconfig leads to. Nothing is asked of it. */
export async function runContext(ctx: Context): Promise<void> {
  const { readKubeConfig, takeContext } = await import('../kube/config.ts');
  const { kubeconfig, context } = ctx.globals.cluster ?? {};
  const config = await readKubeConfig(ctx.env, { kubeconfig });
  if (context) takeContext(config, context);
  const name = config.getCurrentContext() ?? '';
  const found = config.getContextObject(name);
  const cluster = found && config.clusters.find((one) => one.name === found.cluster);
  const lines = [`Context: ${name}`];
  if (!found) lines.push(`❌ Context ${name} not found in configuration`);
  else {
    lines.push(`Cluster: ${found.cluster ?? ''}`, `Auth: ${found.user ?? ''}`);
    if (!cluster) lines.push(`❌ Cluster ${found.cluster ?? ''} not found in configuration`);
    else
      lines.push(
        `Host: ${cluster.server ?? ''}`,
        `TLS server name: ${cluster.tlsServerName ?? ''}`,
        `CA path: ${cluster.caFile ?? ''}`,
      );
  }
  await ctx.out.write(`${lines.map(sanitizeCell).join('\n')}\n`);
  if (!cluster) ctx.exitCode = 1;
}
