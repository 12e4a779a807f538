import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeEndpointRows } from '../../agent/decode/endpoints.ts';
import { Reader } from '../../agent/decode/reader.ts';
import { decodeServices } from '../../agent/decode/services.ts';
import { decodeStatus, wireguard } from '../../agent/decode/status.ts';
import type { DebugInfo } from '../../agent/decode/types.gen.ts';
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
export async function debugSections(info: object, ctx: Context): Promise<DebugSection[]> {
  const r = new Reader<DebugInfo>('GET /debuginfo', info);
  const sections: DebugSection[] = [
    { name: 'cilium-version', text: headedBlock('Cilium version', r.text('cilium-version')) },
    { name: 'kernel-version', text: headedBlock('Kernel version', r.text('kernel-version')) },
    { name: 'cilium-status', text: statusBlock(r, ctx) },
    { name: 'cilium-endpoint-list', text: await endpointBlocks(r, ctx) },
    { name: 'cilium-service-list', text: serviceBlock(r) },
    { name: 'cilium-policy', text: policyBlock(r) },
    { name: 'cilium-environment-keys', text: environmentBlock(r) },
    { name: 'cilium-subsystems', text: subsystemBlocks(r) },
    { name: 'cilium-encryption', text: encryption(r) },
    { name: 'cilium-memory-map', text: memoryBlocks(r) },
  ];
  return sections.map(({ name, text }) => ({ name, text: sanitize(text) }));
}

function statusBlock(r: Reader<DebugInfo>, ctx: Context): string {
  if (!r.has('cilium-status')) return headedBlock('Cilium status', '');
  const status = decodeStatus(r.at('cilium-status').raw(), 'GET /debuginfo: cilium-status');
  return headedTable('Cilium status', statusSections(status, ALL_DETAILS, ctx.clock.nowMs()));
}

async function endpointBlocks(r: Reader<DebugInfo>, ctx: Context): Promise<string> {
  const rows = decodeEndpointRows(r.at('endpoint-list').raw());
  const table = headedTable('Endpoint list', renderTable(endpointTable(rows, { headers: true })));
  const questions = rows.flatMap(questionsAbout);
  const program = await findCilium(ctx);
  if (!program && rows.length > 0)
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

function serviceBlock(r: Reader<DebugInfo>): string {
  const { services } = decodeServices(r.at('service-list').raw());
  return headedTable('Service list', renderTable(serviceTable(services, {})));
}

function policyBlock(r: Reader<DebugInfo>): string {
  const policy = r.at('policy');
  return headedBlock('Policy get', `:\n ${policy.text('policy')}\nRevision: ${policy.integer('revision')}\n`);
}

function environmentBlock(r: Reader<DebugInfo>): string {
  return headedBlock('Cilium environment keys', r.texts('environment-variables').join('\n'));
}

function subsystemBlocks(r: Reader<DebugInfo>): string {
  return Object.entries(r.at('subsystem').textMap())
    .map(([name, status]) => headedBlock(name, status))
    .join('');
}

function encryption(r: Reader<DebugInfo>): string {
  const part = r.at('encryption').at('wireguard');
  return encryptionBlock(part.present ? wireguard(part) : undefined);
}

function memoryBlocks(r: Reader<DebugInfo>): string {
  const monitor = r.text('cilium-nodemonitor-memory-map');
  return (
    headedBlock('Cilium memory map\n', r.text('cilium-memory-map')) +
    (monitor && headedBlock('Cilium nodemonitor memory map', monitor))
  );
}
