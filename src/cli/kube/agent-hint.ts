import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { ELSEWHERE_TITLE } from '../tree.ts';

/**
 * What to add to the hint of an error: where no agent is on this machine and none was named, the verb can ask one of a
 * cluster. `causes` are the error and what is behind it.
 */
export async function agentHint(
  causes: readonly Error[],
  command: Command | undefined,
  ctx: Context,
): Promise<string> {
  const { elsewhere, host } = ctx.globals;
  const canAsk = command?.options.some(
    ({ long, helpGroupHeading }) => long === '--node' && helpGroupHeading === ELSEWHERE_TITLE,
  );
  const hasNoSocket = causes.some((one) => 'fault' in one && one.fault === 'no-socket');
  if (elsewhere || host || !canAsk || !hasNoSocket) return '';
  const { hasKubeconfig } = await import('../../kube/config.ts');
  return (await hasKubeconfig(ctx.env, undefined)) ? ' An agent of a cluster: --node NAME.' : '';
}
