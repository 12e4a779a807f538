import type { Command } from 'commander';
import { socketPath, TIMEOUT_MS } from '../../../agent/client.ts';
import { HttpClient, type HttpRequest, TransportError } from '../../../agent/http/http.ts';
import { copyAnswer } from '../../../cli/answer.ts';
import { familyFlag } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';

const DEFAULT_SOCKET = '/var/run/cilium/envoy/sockets/admin.sock';

/** Sends a request to Envoy's admin interface and copies the answer to stdout. */
export async function askEnvoy(
  ctx: Context,
  command: Command,
  path: string,
  method: HttpRequest['method'] = 'GET',
): Promise<void> {
  const given = familyFlag<string>(command, 'adminSocket');
  if (ctx.globals.archive && given !== undefined)
    throw new UserError(
      '--from and --admin-socket cannot be used together: an archive is read, and nobody is asked',
    );
  const target = given ?? socketPath(ctx, 'CILIUM_ENVOY_ADMIN_SOCK', DEFAULT_SOCKET);
  const http = new HttpClient({ network: 'unix', target }, ctx.dial);
  try {
    await copyAnswer(
      ctx,
      http,
      {
        method,
        path,
        headers: { host: 'envoy-admin', accept: '*/*' },
        timeoutMs: ctx.globals.timeoutMs ?? TIMEOUT_MS,
        signal: ctx.signal,
      },
      'cannot ask Envoy',
    );
  } catch (error) {
    if (!(error instanceof TransportError) || error.fault !== 'no-socket') throw error;
    throw new UserError(`cannot ask Envoy: ${error.message}`, {
      hint: 'Envoy makes the socket when it starts: is a proxy running on this node? --admin-socket names another one.',
      cause: error,
    });
  } finally {
    await http.close();
  }
}
