import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { HEALTH_SERVICE } from '../../cli/hubble/agent-server.ts';
import { connectHubble } from '../../cli/hubble/server.ts';
import { readSettings } from '../../cli/hubble/settings.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { renderServerStatus } from '../../render/hubble/status.ts';

/** Declares `hubble status`. */
export function addHubbleStatusCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('hubble status', 'hubble status -o json', 'hubble status --server tls://relay.example.com:443'),
  );
  command.option('-o, --output <format>', 'Form of the output: compact, dict, json or table', 'compact');
  command.action((options: { output: string }) => runHubbleStatus(command, options.output, ctx));
}

/** Asks whether the server is well, then what it holds. */
export async function runHubbleStatus(command: Command, output: string, ctx: Context): Promise<void> {
  const settings = await readSettings(command, ctx);
  await using client = await connectHubble(settings, ctx);
  const failed = (what: string) => (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${what}: ${errorMessage(error)}`, { hint: error.hint, cause: error });
  };
  const { status = 'UNKNOWN' } = await client
    .call('/grpc.health.v1.Health/Check', { service: HEALTH_SERVICE })
    .catch(failed('failed getting status'));
  const healthy = status === 'SERVING';
  if (output === 'compact') {
    const via = client.settings.address.replace(/^tls:\/\//, '');
    await ctx.out.write(`Healthcheck (via ${via}): ${healthy ? 'Ok' : `Unavailable: ${status}`}\n`);
  }
  if (!healthy) throw new UserError('not healthy', { hint: `The server reports ${status}.` });
  const answer = await client
    .call('/observer.Observer/ServerStatus', {})
    .catch(failed('failed to get hubble server status'));
  const text = renderServerStatus(answer, output);
  if (text === undefined)
    throw new UserError(`invalid output format: ${output}`, {
      hint: 'Known are compact, dict, json and table.',
    });
  await ctx.out.write(text);
}
