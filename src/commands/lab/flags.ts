import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { integer } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { type LabInfo, labRoot, readInfo, runningLabs } from '../../lab/folder.ts';
import { type Lab, type LabOptions, MAPS_MODES, type MapsMode, startLab } from '../../lab/lab.ts';
import { FAULT_NAMES, type Fault } from '../../lab/pods/faults.ts';
import { DEFAULT_SCENARIO, EMPTY_SCENARIO } from '../../lab/scenario/load.ts';
import { AGENT_VERSIONS, type AgentVersion } from '../../lab/version.ts';
import { isAlive } from '../../lib/alive.ts';

/** Each agent takes five sockets and a few megabytes. */
const MAX_NODES = 50;

/** What a lab can be started with. */
export interface PlayFlags {
  scenario?: string;
  agentVersion: AgentVersion;
  flows?: string;
  rate?: number;
  ring?: number;
  hubblePort: number;
  maps: MapsMode;
  kube?: boolean;
  nodes?: number;
  pods?: boolean;
  fault?: Fault[];
}

/** Adds the flags that say what a lab plays. */
export function addPlayOptions(command: Command): Command {
  return command
    .option(
      '--scenario <name>',
      `Scenario to play: beginners-guide, shop, incident, empty, or the path of a YAML file (default: ${DEFAULT_SCENARIO}, with --pods ${EMPTY_SCENARIO})`,
    )
    .addOption(
      new Option(
        '--agent-version <version>',
        'Release of the agent that is played; all serves every path of every release',
      )
        .choices(AGENT_VERSIONS)
        .default('all'),
    )
    .option('--flows <file>', 'File of flows (JSON lines) to play instead of those of the scenario')
    .addOption(positive('--rate <n>', 'Flows per second'))
    .addOption(integer('--ring <n>', 'Number of flows that Hubble keeps', { min: 1, max: 1_000_000 }))
    .addOption(
      new Option('--maps <mode>', 'Pin the BPF maps of an agent: auto pins them where that is possible')
        .choices(MAPS_MODES)
        .default('auto'),
    )
    .addOption(
      integer('--nodes <n>', 'Nodes of the cluster, each with an agent of its own; with --kube', {
        min: 1,
        max: MAX_NODES,
      }),
    )
    .option(
      '--pods',
      'Run the pods of the cluster as processes in networks of their own, as root on Linux; with --kube',
    )
    .addOption(
      new Option(
        '--fault <kind...>',
        'Something to be wrong with the pods that run, for others to find; with --pods',
      ).choices(FAULT_NAMES),
    )
    .option('--kube', 'Serve a small Kubernetes API as well, and leave KUBECONFIG behind')
    .addOption(
      integer('--hubble-port <port>', 'TCP port of the Hubble API on 127.0.0.1; 0 takes a free one', {
        min: 0,
        max: 65_535,
      }).default(0),
    );
}

function positive(flags: string, description: string): Option {
  const option = new Option(flags, description);
  return option.argParser((text: string) => {
    const value = Number(text);
    if (!(value > 0 && value <= 100_000))
      throw new UsageError(
        `invalid argument "${text}" for "${option.long}" flag: a number above 0, up to 100000, is expected`,
      );
    return value;
  });
}

/** Starts what the flags ask for: one agent, or with --kube a cluster. */
export async function startLabOrCluster(flags: PlayFlags, options: LabOptions): Promise<Lab> {
  if (flags.nodes !== undefined && !flags.kube)
    throw new UsageError('--nodes needs --kube: the agents of a cluster are found through its API');
  if (flags.pods && !flags.kube)
    throw new UsageError('--pods needs --kube: pods are objects of the Kubernetes API');
  if (flags.fault && !flags.pods)
    throw new UsageError('--fault needs --pods: what only plays cannot be wrong');
  if (!flags.kube) return startLab(options);
  const { startClusterLab } = await import('../../lab/cluster-lab.ts');
  return startClusterLab(options);
}

/** The options of a lab from its flags. */
export function labOptions(flags: PlayFlags, ctx: Context): LabOptions {
  return {
    scenario: flags.scenario ?? (flags.pods ? EMPTY_SCENARIO : DEFAULT_SCENARIO),
    cwd: ctx.cwd,
    root: labRoot(ctx.env, ctx.uid),
    version: flags.agentVersion,
    flows: flags.flows,
    rate: flags.rate,
    ring: flags.ring,
    hubblePort: flags.hubblePort,
    maps: flags.maps,
    nodes: flags.nodes,
    pods: flags.pods,
    faults: flags.fault,
    clock: ctx.clock,
  };
}

/** Which lab a command is about. */
export interface WhichFlags {
  name?: string;
  dir?: string;
}

/** Adds the flags that name a running lab. */
export function addWhichOptions(command: Command): Command {
  return command
    .option('--name <name>', 'Name of the lab')
    .option('--dir <folder>', 'Folder of the lab, when it was started with one');
}

/** Labs that run, where this user's labs are and in the folder of the environment. */
export function knownLabs(ctx: Context): LabInfo[] {
  const labs = runningLabs(labRoot(ctx.env, ctx.uid));
  const here = ctx.env.CILIUM_LAB ? readInfo(resolve(ctx.cwd, ctx.env.CILIUM_LAB)) : undefined;
  return here && isAlive(here) && !labs.some((lab) => lab.dir === here.dir) ? [...labs, here] : labs;
}

/** The one lab that the flags, the environment (CILIUM_LAB) or the lack of others names; undefined when none runs. */
export function findLab(flags: WhichFlags, ctx: Context): LabInfo | undefined {
  if (flags.dir !== undefined) {
    const info = readInfo(resolve(ctx.cwd, flags.dir));
    return info && isAlive(info) ? info : undefined;
  }
  const labs = knownLabs(ctx);
  if (flags.name !== undefined) return labs.find((lab) => lab.name === flags.name);
  const mine =
    ctx.env.CILIUM_LAB && labs.find((lab) => lab.dir === resolve(ctx.cwd, ctx.env.CILIUM_LAB ?? ''));
  if (mine) return mine;
  if (labs.length > 1)
    throw new UserError(`several labs are running: ${labs.map((lab) => lab.name).join(', ')}`, {
      hint: 'Say which one with --name.',
    });
  return labs[0];
}

/** The lab, or an error that says how to start one. */
export function requireLab(flags: WhichFlags, ctx: Context): LabInfo {
  const info = findLab(flags, ctx);
  if (info) return info;
  const which =
    flags.dir !== undefined ? ` in ${flags.dir}` : flags.name !== undefined ? ` named ${flags.name}` : '';
  throw new UserError(`no lab${which} is running`, { hint: 'Start one with: cilium lab start' });
}
