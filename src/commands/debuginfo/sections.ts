import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { DebugReport } from '../../agent/decode/debuginfo.ts';
import type { Context } from '../../context.ts';
import type { EndpointRow } from '../../model/endpoint.ts';
import { systemRun } from '../../node/state/run.ts';
import {
  type DebugSection,
  encryptionBlock,
  headedBlock,
  headedTable,
} from '../../render/agent/debuginfo.ts';
import { endpointTable } from '../../render/agent/endpoint.ts';
import { serviceTable } from '../../render/agent/service.ts';
import { ALL_DETAILS, statusSections } from '../../render/agent/status/sections.ts';
import { renderTable } from '../../render/text/blocks.ts';
import { sanitize } from '../../render/text/sanitize.ts';

/** Commands that run at a time. */
const AT_ONCE = 4;

/** The parts of the report. The reference prints them in random order; here it is always this one. */
export async function debugSections(report: DebugReport, ctx: Context): Promise<DebugSection[]> {
  const { policy, services, subsystems } = report;
  const sections: DebugSection[] = [
    { name: 'cilium-version', text: headedBlock('Cilium version', report.version) },
    { name: 'kernel-version', text: headedBlock('Kernel version', report.kernelVersion) },
    { name: 'cilium-status', text: statusBlock(report, ctx) },
    { name: 'cilium-endpoint-list', text: await endpointBlocks(report, ctx) },
    {
      name: 'cilium-service-list',
      text: headedTable('Service list', renderTable(serviceTable(services, {}))),
    },
    {
      name: 'cilium-policy',
      text: headedBlock('Policy get', `:\n ${policy.policy}\nRevision: ${policy.revision}\n`),
    },
    {
      name: 'cilium-environment-keys',
      text: headedBlock('Cilium environment keys', report.environment.join('\n')),
    },
    {
      name: 'cilium-subsystems',
      text: Object.entries(subsystems)
        .map(([name, status]) => headedBlock(name, status))
        .join(''),
    },
    { name: 'cilium-encryption', text: encryptionBlock(report.wireguard) },
    { name: 'cilium-memory-map', text: memoryBlocks(report) },
  ];
  return sections.map(({ name, text }) => ({ name, text: sanitize(text) }));
}

function statusBlock({ status }: DebugReport, ctx: Context): string {
  if (!status) return headedBlock('Cilium status', '');
  return headedTable('Cilium status', statusSections(status, ALL_DETAILS, ctx.clock.nowMs()));
}

async function endpointBlocks({ endpoints }: DebugReport, ctx: Context): Promise<string> {
  const table = headedTable('Endpoint list', renderTable(endpointTable(endpoints)));
  const questions = endpoints.flatMap(questionsAbout);
  const program = await findCilium(ctx);
  if (!program && endpoints.length > 0)
    await ctx.err.write('Note: no cilium on the PATH, so the sections of each endpoint stay empty.\n');
  const answers = program ? await ask(program, questions, ctx) : [];
  return table + questions.map(({ heading }, i) => headedBlock(heading, answers[i] ?? '')).join('');
}

interface Question {
  heading: string;
  words: string[];
}

function questionsAbout({ id, identity }: EndpointRow): Question[] {
  const ep = String(id);
  const questions: Question[] = [
    { heading: `BPF Policy Get ${ep}`, words: ['bpf', 'policy', 'get', ep, '-n'] },
    { heading: `BPF CT List ${ep}`, words: ['bpf', 'ct', 'list', ep] },
    { heading: `Endpoint Get ${ep}`, words: ['endpoint', 'get', ep] },
    { heading: `Endpoint Health ${ep}`, words: ['endpoint', 'health', ep] },
    { heading: `Endpoint Log ${ep}`, words: ['endpoint', 'log', ep] },
  ];
  if (identity !== undefined)
    questions.push({ heading: `Identity get ${identity}`, words: ['identity', 'get', String(identity)] });
  return questions;
}

/** The first `cilium` of the PATH, as a shell finds it. */
async function findCilium(ctx: Context): Promise<string | undefined> {
  for (const folder of (ctx.env.PATH ?? '').split(':').filter((part) => part !== '')) {
    const program = join(folder, 'cilium');
    const runs = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return program;
  }
  return undefined;
}

/** Runs the questions, a few at a time, and returns what each printed. */
async function ask(program: string, questions: readonly Question[], ctx: Context): Promise<string[]> {
  const run = systemRun({ ...ctx.env, ...(ctx.globals.host && { CILIUM_HOST: ctx.globals.host }) });
  const answers: string[] = [];
  const queue = questions.entries();
  const work = async () => {
    for (const [i, { words }] of queue) {
      ctx.signal.throwIfAborted();
      const { stdout, stderr } = await run([program, ...words]);
      answers[i] = stdout + stderr;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return answers;
}

function memoryBlocks({ memoryMap, monitorMemoryMap }: DebugReport): string {
  return (
    headedBlock('Cilium memory map\n', memoryMap) +
    (monitorMemoryMap && headedBlock('Cilium nodemonitor memory map', monitorMemoryMap))
  );
}
