import { basename } from 'node:path';
import type { Command } from 'commander';
import { agentAddress } from '../../agent/client.ts';
import type { Context } from '../../context.ts';
import { errorCode } from '../../errors.ts';
import { ELSEWHERE_TITLE } from '../tree.ts';

/**
 * The hint of an error as it fits this machine. Who may not open a socket is told who may. A lab whose variables are still set
 * has stopped; elsewhere than on Linux there is no agent; where none is here and none was named, the verb can ask one of a
 * cluster. `causes` are the error and what is behind it.
 */
export async function agentHint(
  hint: string,
  causes: readonly Error[],
  command: Command | undefined,
  ctx: Context,
): Promise<string> {
  if (ctx.globals.elsewhere) return hint;
  const refused = refusedSocket(causes);
  if (refused?.isDenied) {
    const { whoMayOpen } = await import('./socket-rights.ts');
    return whoMayOpen(refused.path) ?? hint;
  }
  const faults = causes.map((one) => ('fault' in one ? one.fault : undefined));
  const hasNoSocket = faults.includes('no-socket');
  const isOfAgent = hasNoSocket || faults.includes('refused');
  const path = refused?.path ?? (isOfAgent ? agentAddress(ctx).replace(/^unix:\/\//, '') : undefined);
  const stopped = path === undefined ? undefined : stoppedLab(path, ctx);
  if (stopped !== undefined) return stopped;
  const canAsk = command?.options.some(
    ({ long, helpGroupHeading }) => long === '--node' && helpGroupHeading === ELSEWHERE_TITLE,
  );
  if (ctx.globals.host || !canAsk || !hasNoSocket) return hint;
  if (ctx.platform !== 'linux')
    return 'Agents run on the Linux nodes of a cluster: ask one with --node NAME. To try things out: cilium lab start';
  const { hasKubeconfig } = await import('../../kube/config.ts');
  return (await hasKubeconfig(ctx.env, undefined)) ? `${hint} An agent of a cluster: --node NAME.` : hint;
}

/** That a lab has stopped, where the socket at `path` is of the one that the variables still name. */
function stoppedLab(path: string, { env }: Context): string | undefined {
  const { CILIUM_LAB: lab } = env;
  if (!lab || !path.startsWith(`${lab}/`)) return undefined;
  const name = basename(lab);
  return `The lab ${name} has stopped. Start it again: eval "$(cilium lab start --name ${name})". Leave it: unset CILIUM_LAB CILIUM_SOCK HUBBLE_SERVER`;
}

/** The unix socket that the system did not open. */
function refusedSocket(causes: readonly Error[]): { path: string; isDenied: boolean } | undefined {
  for (const cause of causes) {
    const code = errorCode(cause);
    if (!('address' in cause) || typeof cause.address !== 'string' || !cause.address.startsWith('/'))
      continue;
    if (code === 'EACCES' || code === 'EPERM') return { path: cause.address, isDenied: true };
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { path: cause.address, isDenied: false };
  }
  return undefined;
}
