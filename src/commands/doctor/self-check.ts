import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { Command } from 'commander';
import { agentAddress, connectAgent } from '../../agent/client.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { findShell, isInstalled } from '../../cli/completion/place.ts';
import { chosenProfile, profilesPath } from '../../cli/config-file.ts';
import { agentHint } from '../../cli/kube/agent-hint.ts';
import { undoFolder } from '../../cli/undo.ts';
import type { Context } from '../../context.ts';
import { causesOf, errorMessage, UserError } from '../../errors.ts';
import type { Diagnosis } from '../../model/doctor.ts';
import { wantsColor } from '../../render/text/palette.ts';

type Found = Pick<Diagnosis, 'severity' | 'what' | 'next'>;
type Look = (ctx: Context, command: Command) => Found | Promise<Found>;

const ok = (what: string): Found => ({ severity: 'ok', what });
const skipped = (what: string): Found => ({ severity: 'skipped', what });
/** Some verbs do without it, or with less. */
const lacking = (what: string, next?: string): Found => ({
  severity: 'warning',
  what,
  ...(next && { next }),
});
const broken = (what: string, next?: string): Found => ({ severity: 'failure', what, ...(next && { next }) });

/** What is looked at, in this order. A look that throws has found something broken. */
const CHECKS: readonly (readonly [check: string, look: Look])[] = [
  ['system', system],
  ['user', ({ uid }) => user(uid)],
  ['kernel types', onLinux(kernelTypes)],
  ['BPF file system', onLinux(bpfFileSystem)],
  ['BPF helper', onLinux(helper)],
  ['agent', agent],
  ['labs', labs],
  ['kubeconfig', kubeconfig],
  ['hubble server', hubble],
  ['profile', profile],
  ['helm', helm],
  ['completion', completion],
  ['terminal', terminal],
  ['undo folder', stateFolder],
];

/** Looks at what the verbs of this program need of this machine. Changes nothing. */
export async function checkSelf(command: Command, ctx: Context): Promise<Diagnosis[]> {
  const diagnoses: Diagnosis[] = [];
  for (const [check, look] of CHECKS) {
    const found = await Promise.resolve()
      .then(() => look(ctx, command))
      .catch((error: unknown): Found => {
        ctx.signal.throwIfAborted();
        return broken(errorMessage(error), error instanceof UserError ? error.hint : undefined);
      });
    const { severity, what, next } = found;
    diagnoses.push({ check, severity, what, evidence: [], ...(next && { next }) });
  }
  return diagnoses;
}

function onLinux(look: Look): Look {
  return (ctx, command) => (ctx.platform === 'linux' ? look(ctx, command) : skipped('only Linux has it'));
}

function system({ platform }: Context): Found {
  const what = `${platform} ${release()} ${process.arch}, Node.js ${process.versions.node}`;
  return platform === 'linux'
    ? ok(what)
    : lacking(
        what,
        'Agents run on Linux: ask one of a cluster with --node NAME, or read an archive with --from.',
      );
}

function user(uid: number | undefined): Found {
  if (uid === undefined) return skipped('this system has no user ids');
  return uid === 0
    ? ok('root')
    : lacking(`user ${uid}`, 'Verbs that read the kernel, such as those of bpf, need root.');
}

function kernelTypes(): Found {
  const path = '/sys/kernel/btf/vmlinux';
  return existsSync(path)
    ? ok(path)
    : lacking(`there is no ${path}`, 'The kernel has no BTF: verbs of maps do without it.');
}

function bpfFileSystem({ globals: { bpfRoot } }: Context): Found {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const places = mounts.map((line) => line.split(' ')).filter(([, , type]) => type === 'bpf');
  if (!places.some(([, place]) => place === bpfRoot)) {
    const others = places.length > 0 ? `, ${places.length} elsewhere` : '';
    return lacking(
      `none is mounted at ${bpfRoot}${others}`,
      'An agent mounts it. Another place is named with --bpf-root.',
    );
  }
  try {
    accessSync(bpfRoot, constants.X_OK);
  } catch {
    return lacking(`${bpfRoot} may not be entered`, 'Verbs that read maps need root.');
  }
  const has = existsSync(join(bpfRoot, 'tc/globals')) ? 'with' : 'without';
  return ok(`${bpfRoot}, ${has} maps of Cilium`);
}

async function helper(): Promise<Found> {
  const { native } = await import('../../bpf/kernel/native.ts');
  native();
  return ok('can be loaded');
}

const PATIENCE_MS = 5000;

/** Whether the agent that verbs ask by themselves answers. */
async function agent(ctx: Context, command: Command): Promise<Found> {
  if (ctx.globals.elsewhere) return skipped('an agent of a cluster is meant, which is not asked here');
  const address = agentAddress(ctx);
  try {
    const client = connectAgent(address, ctx.signal, { timeoutMs: PATIENCE_MS, dial: ctx.dial });
    await readStatus(client, { brief: true });
    return ok(`${address} answers`);
  } catch (error) {
    return await notReached(error, command, ctx);
  }
}

/** What somebody who is not there says of itself; another error is thrown again. */
async function notReached(error: unknown, command: Command | undefined, ctx: Context): Promise<Found> {
  ctx.signal.throwIfAborted();
  if (!(error instanceof UserError)) throw error;
  return lacking(error.message, await agentHint(error.hint ?? '', causesOf(error), command, ctx));
}

async function labs(ctx: Context): Promise<Found> {
  const { labRoot, runningLabs } = await import('../../lab/folder.ts');
  const names = runningLabs(labRoot(ctx.env, ctx.uid)).map(({ name }) => name);
  return ok(
    names.length > 0
      ? `${names.join(', ')} ${names.length === 1 ? 'runs' : 'run'}`
      : 'none runs; "cilium lab start" starts one, an agent to try things out',
  );
}

async function kubeconfig(ctx: Context): Promise<Found> {
  const { hasKubeconfig, readKubeConfig } = await import('../../kube/config.ts');
  const { kubeconfig: named, context } = ctx.globals.cluster ?? {};
  if (!named && !(await hasKubeconfig(ctx.env, undefined)))
    return lacking('there is none', 'Verbs that ask a cluster need one: KUBECONFIG, or ~/.kube/config.');
  const config = await readKubeConfig(ctx.env, { kubeconfig: named });
  const current = context || config.getCurrentContext();
  const count = config.getContexts().length;
  const contexts = `${count} ${count === 1 ? 'context' : 'contexts'}`;
  if (!current) return lacking(`${contexts}, none of which is current`, 'Name one with --context.');
  if (!config.getContextObject(current))
    return broken(`there is no context "${current}" among its ${contexts}`, 'Name another with --context.');
  return ok(`context ${current} of ${contexts}; the cluster is not asked here`);
}

async function hubble(ctx: Context): Promise<Found> {
  const { readSettings } = await import('../../cli/hubble/settings.ts');
  const { connectHubble } = await import('../../cli/hubble/server.ts');
  const within: Context = { ...ctx, globals: { ...ctx.globals } };
  const settings = await readSettings(new Command('hubble'), within);
  if (settings.flag('port-forward')) return skipped('a port-forward to the relay is set, which is not tried');
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    await using client = await connectHubble(settings, {
      ...within,
      signal: AbortSignal.any([ctx.signal, patience]),
    });
    await client.call('/observer.Observer/ServerStatus', {});
  } catch (error) {
    if (!patience.aborted) return await notReached(error, undefined, ctx);
    ctx.signal.throwIfAborted();
    return lacking(
      `${settings.text('server')} does not answer within ${PATIENCE_MS / 1000} s`,
      'Another is named by --server or HUBBLE_SERVER.',
    );
  }
  return ok(`${settings.text('server')} answers`);
}

async function profile(ctx: Context): Promise<Found> {
  const chosen = await chosenProfile(undefined, ctx);
  if (chosen) return ok(chosen.name);
  const path = profilesPath(ctx);
  return ok(path && existsSync(path) ? `none of ${path} is current` : 'there are none');
}

function helm({ env }: Context): Found {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const path = join(folder, 'helm');
    try {
      accessSync(path, constants.X_OK);
      if (folder !== '' && statSync(path).isFile()) return ok(path);
    } catch {
      // The next one.
    }
  }
  return lacking('it is not on PATH', '"cilium install", "upgrade" and "uninstall" need it.');
}

function completion(ctx: Context): Found {
  let shell: ReturnType<typeof findShell>;
  try {
    shell = findShell(ctx);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return skipped(error.message);
  }
  return isInstalled(shell, ctx)
    ? ok(`installed for ${shell}`)
    : lacking(`not installed for ${shell}`, 'Install it: cilium completion install');
}

function terminal({ out, env, globals }: Context): Found {
  const colors = wantsColor(globals.color, env, out.isTTY) ? 'with colours' : 'without colours';
  return ok(out.isTTY ? `${out.columns ?? '?'} columns, ${colors}` : `stdout is none, ${colors}`);
}

/** Where verbs record what they remove: the lowest folder that is there must take one. */
function stateFolder(ctx: Context): Found {
  const folder = undoFolder(ctx);
  let above = folder;
  while (!existsSync(above) && dirname(above) !== above) above = dirname(above);
  try {
    accessSync(above, constants.W_OK);
    return ok(folder);
  } catch {
    return lacking(`${folder} cannot be written to`, 'Verbs that remove things take another: --undo-file.');
  }
}
