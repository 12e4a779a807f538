import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { AgentClient } from '../../agent/client.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { HttpClient } from '../../agent/http/http.ts';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UsageError } from '../../errors.ts';
import type { LabInfo } from '../../lab/folder.ts';
import { startInBackground } from '../../lab/spawn.ts';
import { linkSockets, VAR_RUN } from '../../lab/var-run.ts';
import { aborted } from '../../lib/until-aborted.ts';
import { exportLines } from './exports.ts';
import { addPlayOptions, labOptions, type PlayFlags, startLabOrCluster } from './flags.ts';

interface StartFlags extends PlayFlags {
  name?: string;
  dir?: string;
  fresh?: boolean;
  foreground?: boolean;
  announce?: boolean;
  varRun?: string | true;
}

/** Declares `lab start`. */
export function addLabStartCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'eval "$(cilium lab start)"',
      'cilium lab start --scenario incident --agent-version 1.17 --name old',
      'eval "$(cilium lab start --kube --nodes 3)" && cilium status',
    ),
  );
  addPlayOptions(command)
    .option('--name <name>', 'Name of the lab (default: a free one)')
    .option('--dir <folder>', 'Folder for sockets and state; it is kept when the lab stops')
    .option('--fresh', 'Discard the state of an earlier run')
    .option('--foreground', 'Serve in this process until it is interrupted')
    .option('--var-run [folder]', `Also serve the sockets in ${VAR_RUN}, where an agent does`)
    .addOption(new Option('--announce').hideHelp())
    .action((flags: StartFlags) => runLabStart(flags, ctx));
}

/** Starts a lab; returns when it answers, or with --foreground when it has ended. */
export async function runLabStart(flags: StartFlags, ctx: Context): Promise<void> {
  if (flags.name !== undefined && flags.dir !== undefined)
    throw new UsageError('--name and --dir cannot be given together');
  if (flags.name !== undefined && !/^[a-z0-9][a-z0-9-]*$/.test(flags.name))
    throw new UsageError(
      `invalid argument "${flags.name}" for "--name" flag: letters, digits and dashes are expected`,
    );
  if (flags.foreground) return serve(flags, ctx);
  const started = await startInBackground(childWords(flags, ctx), { cwd: ctx.cwd, env: ctx.env });
  if ('code' in started) {
    await ctx.err.write(started.stderr);
    throw new SilentExit(started.code || 1);
  }
  const info = JSON.parse(started.line) as LabInfo;
  await waitUntilItAnswers(info, ctx);
  await sayStarted(info, flags, ctx);
  await ctx.out.write(exportLines(info));
}

function childWords(flags: StartFlags, ctx: Context): string[] {
  const words = ['lab', 'start', '--foreground', '--announce'];
  const add = (flag: string, value: string | number | undefined) => {
    if (value !== undefined) words.push(flag, String(value));
  };
  add('--scenario', flags.scenario);
  add('--agent-version', flags.agentVersion);
  add('--flows', flags.flows);
  add('--rate', flags.rate);
  add('--ring', flags.ring);
  add('--hubble-port', flags.hubblePort);
  add('--maps', flags.maps);
  add('--name', flags.name);
  add('--dir', flags.dir === undefined ? undefined : resolve(ctx.cwd, flags.dir));
  add('--nodes', flags.nodes);
  if (flags.kube) words.push('--kube');
  if (flags.pods) words.push('--pods');
  for (const fault of flags.fault ?? []) words.push('--fault', fault);
  if (flags.fresh) words.push('--fresh');
  if (flags.varRun) words.push(`--var-run=${flags.varRun === true ? VAR_RUN : flags.varRun}`);
  return words;
}

async function waitUntilItAnswers(info: LabInfo, ctx: Context): Promise<void> {
  const http = new HttpClient({ network: 'unix', target: info.sockets.agent });
  try {
    await readStatus(new AgentClient(http, ctx.signal), { brief: true, timeoutMs: 10_000 });
  } finally {
    await http.close();
  }
}

async function sayStarted(info: LabInfo, flags: StartFlags, ctx: Context): Promise<void> {
  if (ctx.globals.quiet) return;
  const plays =
    info.agentVersion === 'all'
      ? 'every path of the agents 1.9 to 1.20'
      : `the API of an agent ${info.agentVersion}`;
  await ctx.err.write(
    `Lab ${info.name} plays scenario ${info.scenario} with ${plays} (process ${info.pid}).\n`,
  );
  if (info.kube)
    await ctx.err.write(
      `It is a cluster of ${info.kube.nodes.length} nodes (${info.kube.nodes.join(', ')}) with a Kubernetes API at ${info.kube.url}.\n`,
    );
  if (info.noMaps !== undefined && flags.maps !== 'off')
    await ctx.err.write(`No maps are pinned: ${info.noMaps}.\n`);
}

async function serve(flags: StartFlags, ctx: Context): Promise<void> {
  const lab = await startLabOrCluster(flags, {
    ...labOptions(flags, ctx),
    name: flags.name,
    dir: flags.dir === undefined ? undefined : resolve(ctx.cwd, flags.dir),
    ...(flags.fresh && { fresh: true }),
  });
  let unlink = () => {};
  try {
    if (flags.varRun) unlink = linkSockets(lab.info, flags.varRun === true ? VAR_RUN : flags.varRun);
    if (flags.announce) await ctx.out.write(`${JSON.stringify(lab.info)}\n`);
    else {
      await sayStarted(lab.info, flags, ctx);
      if (lab.resumed) await ctx.err.write('It goes on with the state of an earlier run.\n');
      await ctx.out.write(exportLines(lab.info));
    }
    await aborted(ctx.signal);
  } finally {
    unlink();
    await lab.close();
  }
}
