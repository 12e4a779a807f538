import type { Command } from 'commander';
import { readVersion } from '../../agent/decode/version.ts';
import { TransportError } from '../../agent/http/http.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import { isClusterMeant } from '../../cli/kube/target.ts';
import { outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';
import { renderOutput } from '../../render/text/output.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { REVISION, REVISION_DATE, VERSION } from '../../version.ts';

interface VersionOptions {
  output: string;
  timeout: number;
  agent?: boolean;
  cluster?: boolean;
  client?: boolean;
}

/** One half of `-o json`; the names are the reference's. */
interface VersionFields {
  Version: string;
  Revision: string;
  GoRuntimeVersion: string;
  Arch: string;
  AuthorDate: string;
}

const TEXT: Shape = { type: 'string' };
const HALF: Shape = {
  type: 'object',
  properties: { Version: TEXT, Revision: TEXT, GoRuntimeVersion: TEXT, Arch: TEXT, AuthorDate: TEXT },
};
/** Lets `-o yaml` write the keys as Go does. */
const VERSION_TYPE: TypedShape = {
  shape: { type: 'object', properties: { Client: HALF, Daemon: HALF } },
  definitions: {},
};

/** Declares `version`. */
export function addVersionCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      durationOption('--timeout <duration>', 'How long to wait for the agent to answer').default(
        30_000,
        '30s',
      ),
    )
    .addOption(outputOption())
    .optionsGroup('Flags for a cluster:')
    .option('--agent', 'Tell the version of an agent: of this machine, or the one that --node names')
    .option('--cluster', 'Tell what runs in the whole cluster')
    .option('--client', 'Tell only the version of this program, as of a cluster')
    .addHelpText(
      'after',
      examples('cilium version', 'cilium version --cluster', 'cilium version --cluster -o json'),
    )
    .action(async (options: VersionOptions) => {
      if (options.client || (await isClusterMeant(options, ctx)))
        return (await import('./cluster.ts')).runClusterVersion(options, platform(), ctx);
      await runVersion(options, ctx);
    });
}

/** Prints the versions of this toolkit and of the agent. An agent that does not answer is not an error. */
export async function runVersion(options: VersionOptions, ctx: Context): Promise<void> {
  const daemon = await daemonVersion(options.timeout, ctx);
  const client = clientVersion();
  if (options.output) {
    const value = { Client: parseVersion(client), Daemon: parseVersion(daemon ?? '') };
    // Go has no pointers in it, so that a jsonpath prints its parts as JSON, as without a type.
    const isYaml = options.output === 'yaml';
    return ctx.out.write(
      await renderOutput(value, options.output, isYaml ? { type: async () => VERSION_TYPE } : {}),
    );
  }
  await ctx.out.write(`Client: ${client}\nDaemon: ${sanitize(daemon ?? 'Not responding')}\n`);
}

function clientVersion(): string {
  return `${VERSION} ${REVISION} ${REVISION_DATE} node version ${process.version} ${platform()}`;
}

/** This machine's system and processor, as Go calls them: `linux/amd64`. */
function platform(): string {
  const arch = { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch;
  return `${process.platform}/${arch}`;
}

/** Undefined when the agent does not report a version; an unexpected answer is noted on stderr. */
async function daemonVersion(timeoutMs: number, ctx: Context): Promise<string | undefined> {
  try {
    return await readVersion(await ctx.agent(), timeoutMs);
  } catch (error) {
    if (!(error instanceof UserError) || ctx.signal.aborted) throw error;
    const silent = error instanceof TransportError && error.fault !== 'not-http';
    if (!silent || ctx.globals.debug || ctx.err.isTTY) await ctx.err.write(`${errorMessage(error)}\n`);
    return undefined;
  }
}

/**
 * `1.20.0 26d721f0fe 2026-01-28T22:45:57-08:00 go version go1.26.11 X:jsonv2 linux/amd64` in its parts, which are empty
 * where it has fewer.
 */
function parseVersion(text: string): VersionFields {
  const words = text.split(' ');
  const [version = '', revision = '', date = '', , , ...runtime] = words.length < 7 ? [] : words;
  const arch = runtime.pop() ?? '';
  return {
    Version: version,
    Revision: revision,
    GoRuntimeVersion: runtime.join(' '),
    Arch: arch,
    AuthorDate: date,
  };
}
