import { type Command, Option } from 'commander';
import type { AgentClient } from '../../agent/client.ts';
import { readConfig } from '../../agent/decode/config.ts';
import { listEndpoints } from '../../agent/decode/endpoints.ts';
import { listIdentities } from '../../agent/decode/identities.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { writeReport } from '../../cli/report.ts';
import { requireRoot } from '../../cli/tree.ts';
import { reportOfDiagnoses } from '../../cluster/as-checks.ts';
import type { Context } from '../../context.ts';
import { causesOf, errorMessage, SilentExit, UsageError, UserError } from '../../errors.ts';
import type { Diagnosis, Severity } from '../../model/doctor.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { runChecks } from '../../node/doctor/checks.ts';
import {
  type AgentFacts,
  type KernelFacts,
  type KnownEndpoint,
  readKernelFacts,
} from '../../node/doctor/facts.ts';
import { kernelFactsOf } from '../../node/doctor/told.ts';
import { renderDiagnoses } from '../../render/node/doctor.ts';
import { paletteFor } from '../../render/text/palette.ts';

interface DoctorOptions {
  output: string;
  self?: boolean;
  failOn: 'warning' | 'failure' | 'never';
}

/** Declares `doctor`. */
export function addDoctorCommand(command: Command, ctx: Context): void {
  command
    .option('--self', 'Look at what this machine has of what the verbs need, instead; needs no root')
    .addOption(
      new Option('--fail-on <severity>', 'Lowest severity that exits with 1')
        .choices(['warning', 'failure', 'never'])
        .default('failure'),
    )
    .addOption(outputOption(...REPORT_FORMATS))
    .addHelpText(
      'after',
      examples(
        'cilium doctor',
        'cilium doctor --self',
        'cilium doctor -o json --fail-on warning',
        'cilium doctor --from dump.zip --node worker-2',
      ),
    )
    .action((options: DoctorOptions) => runDoctor(options, command, ctx));
}

/** Prints what was found, and exits with 1 where it is bad enough. */
export async function runDoctor(options: DoctorOptions, command: Command, ctx: Context): Promise<void> {
  const diagnoses = options.self ? await ofSelf(command, ctx) : await ofNode(ctx);
  const { output, failOn } = options;
  if (isReportFormat(output)) await writeReport(ctx, output, reportOfDiagnoses(diagnoses, failOn));
  else if (output) await writeStructured(ctx, output, diagnoses);
  else {
    const palette = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
    await ctx.out.write(renderDiagnoses(diagnoses, palette, ctx.out.columns));
  }
  const bad: readonly Severity[] =
    options.failOn === 'never' ? [] : options.failOn === 'failure' ? ['failure'] : ['failure', 'warning'];
  if (diagnoses.some(({ severity }) => bad.includes(severity))) throw new SilentExit(1);
}

/** What this machine has for the verbs. */
async function ofSelf(command: Command, ctx: Context): Promise<Diagnosis[]> {
  if (ctx.globals.archive)
    throw new UsageError('--self looks at this machine: it cannot be combined with --from', {
      hint: 'Leave out one of the two.',
    });
  const { checkSelf } = await import('./self-check.ts');
  return await checkSelf(command, ctx);
}

/** Asks the agent, reads the kernel, compares. An agent that does not answer is a finding, not the end. */
async function ofNode(ctx: Context): Promise<Diagnosis[]> {
  if (!ctx.globals.elsewhere && !ctx.globals.archive) requireRoot('cilium doctor', ctx.uid);
  const kernel = await kernelOf(ctx);
  const { agent, problem } = await askAgent(ctx, kernel);
  return [...(problem ? [problem] : []), ...runChecks(kernel, agent)];
}

/** The kernel of this machine, or what an archive has of one. */
async function kernelOf(ctx: Context): Promise<KernelFacts> {
  const { archive, elsewhere, bpfRoot } = ctx.globals;
  if (archive) {
    const { recordedOutput } = await import('../../cli/kube/replay.ts');
    const first = (...words: readonly string[]) => recordedOutput(words, ctx);
    return kernelFactsOf({
      endpoints: await first('bpf endpoint list -o json', 'bpf endpoint list'),
      ipcache: await first('bpf ipcache list -o json', 'bpf ipcache list'),
      policy: await first(
        'bpf policy get --all -o json',
        'bpf policy get --all -n',
        'bpf policy list -o json',
      ),
    });
  }
  if (elsewhere)
    throw new UserError('doctor reads the kernel of this machine: no agent has it in its own command line', {
      hint: 'Run it on the node itself, or read an archive: --from.',
    });
  return await readKernelFacts(bpfRoot);
}

async function askAgent(
  ctx: Context,
  kernel: KernelFacts,
): Promise<{ agent?: AgentFacts; problem?: Diagnosis }> {
  try {
    const client = await ctx.agent();
    const endpoints = await listEndpoints(client);
    const identities = await listIdentities(client).catch((error: unknown) => {
      if (!isNotCollected(error)) throw error;
      kernel.untold = { ...kernel.untold, 'policy identities': errorMessage(error) };
      return undefined;
    });
    const status = await readStatus(client, { brief: false });
    return {
      agent: {
        endpoints: endpoints.decode().map(knownEndpoint),
        identities: identities && new Set(identities.decode().map(({ id }) => id)),
        socketLb: status.decode().kubeProxy?.features.socketLb === true,
        dryMode: await inDryMode(client),
      },
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const diagnosis: Diagnosis = {
      check: 'agent',
      severity: 'failure',
      what: isNotCollected(error) ? 'what the agent answers was not collected' : 'the agent does not answer',
      evidence: [error.message],
    };
    return { problem: error.hint ? { ...diagnosis, next: error.hint } : diagnosis };
  }
}

/** Whether an archive does not hold what was asked for. */
function isNotCollected(error: unknown): boolean {
  return causesOf(error).some(({ name }) => name === 'NotCollected');
}

function knownEndpoint(endpoint: EndpointRow): KnownEndpoint {
  const { id, identity, allAddresses, ifindex, state = '', pod, namespace } = endpoint;
  return { id, identity, addresses: allAddresses, ifindex, state, name: pod && `${namespace}/${pod}` };
}

/** Only an agent that says so is taken to load no programs. */
async function inDryMode(client: AgentClient): Promise<boolean> {
  try {
    return (await readConfig(client)).readOnly?.DryMode === true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return false;
  }
}
