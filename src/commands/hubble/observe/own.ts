import type { Context } from '../../../context.ts';
import type { FlowPredicate } from '../../../hubble/filter/filter.ts';
import { compileWhere } from '../../../hubble/where/evaluate.ts';
import { fieldList } from '../../../hubble/where/fields.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import { planWhere, type WherePlan } from '../../../hubble/where/plan.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-format.ts';
import type { Settings } from '../settings.ts';
import type { FilterLists } from './filter-builder.ts';
import type { ObserveFlags } from './flags.ts';
import { LossCounter } from './loss.ts';
import type { RecordSink } from './output.ts';
import type { OwnFlags } from './own-flags.ts';
import type { Selection } from './selectors.ts';

/** What an observation beyond the reference is made of. */
export interface OwnJob {
  flags: ObserveFlags & OwnFlags;
  settings: Settings;
  filters: FilterLists;
  selection: Selection;
  mask: readonly string[];
  renderer: FlowRenderer;
  sink: RecordSink;
}

interface Where {
  source: string;
  plan: WherePlan;
  matches: FlowPredicate;
}

/** Runs the observation: reads messages, keeps those that are meant, hands them to what shows them. */
export async function runOwnObserve(job: OwnJob, ctx: Context): Promise<void> {
  const { flags } = job;
  if (flags.where === 'help') return ctx.out.write(fieldHelp());
  const where = flags.where === undefined ? undefined : await compile(flags.where);
  const combined = where
    ? { ...job, filters: combine(job.filters, where.plan), mask: widen(job.mask, where.plan) }
    : job;
  if (flags.explain) await explain(combined, where, ctx);
  const needsAll = flags.tui || flags.collapse || flags.top.length > 0;
  const asked = needsAll ? { ...combined, mask: [] } : combined;
  const { readMessages } = await import('./sources.ts');
  const messages = (signal: AbortSignal) => readMessages({ ...asked, local: where?.matches }, ctx, signal);
  if (flags.tui) return (await import('./show-tui.ts')).showTui(messages, job, ctx);
  if (flags.top.length > 0) return (await import('./show-top.ts')).showTop(messages(ctx.signal), job, ctx);
  if (flags.collapse)
    return (await import('./show-connections.ts')).showConnections(messages(ctx.signal), job, ctx);
  return printMessages(messages(ctx.signal), asked, where, ctx);
}

async function compile(source: string): Promise<Where> {
  const expression = parseWhere(source);
  return { source, plan: planWhere(expression, source), matches: await compileWhere(expression, source) };
}

/** Filters from flags and those from the expression hold together: each pair of alternatives is one filter. */
function combine({ allow, deny }: FilterLists, plan: WherePlan): FilterLists {
  // A pair that sets the same field cannot be said in one filter: then the flags go to the server, the rest stays here.
  const clash = allow.some((flag) =>
    plan.allow.some((part) => Object.keys(part).some((key) => Object.hasOwn(flag, key))),
  );
  const both =
    clash || plan.allow.length === 0
      ? allow
      : allow.length === 0
        ? plan.allow
        : allow.flatMap((flag) => plan.allow.map((part) => ({ ...flag, ...part })));
  return { allow: both, deny: [...deny, ...plan.deny] };
}

function widen(mask: readonly string[], plan: WherePlan): readonly string[] {
  return mask.length === 0 ? mask : [...new Set([...mask, ...plan.paths])];
}

function fieldHelp(): string {
  const fields = fieldList();
  const width = Math.max(...fields.map(({ name }) => name.length));
  return `Fields of --where (src. and dst. name one end, without them either end is meant):\n${fields.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}\n
Operators: = != ~ (RE2) !~ < <= > >= in; and or not; parentheses. * stands for any text, a..b for a range.
Examples:
  verdict = DROPPED and not dst.namespace = kube-system
  dst.ip in 10.0.0.0/8 and dst.port in [80, 443, 8000..8999]
  src.label = "app=web" and (http.code >= 500 or latency > 200ms)
  dns.query ~ "\\.internal$" and dns.rcode = 3
`;
}

async function explain(
  { filters, mask, flags, selection }: OwnJob,
  where: Where | undefined,
  ctx: Context,
): Promise<void> {
  const here = flags.inputFile.length > 0;
  const lines = [
    `${here ? 'Applied to the file' : 'Sent to the server'}: ${filters.allow.length} allow, ${filters.deny.length} deny filters`,
    ...filters.allow.map((filter) => `  allow ${JSON.stringify(filter)}`),
    ...filters.deny.map((filter) => `  deny  ${JSON.stringify(filter)}`),
    where
      ? where.plan.exact
        ? 'Evaluated here: nothing, the filters say the same'
        : `Evaluated here: ${where.source}`
      : 'Evaluated here: nothing, there is no --where',
    ...(here ? [] : [`Fields asked for: ${mask.length === 0 ? 'all' : mask.join(', ')}`]),
    `Range: ${selection.follow ? 'follow' : `number ${selection.number}`}${selection.since ? ', since a time' : ''}${selection.until ? ', until a time' : ''}`,
  ];
  await ctx.err.write(`${lines.join('\n')}\n`);
}

/** Prints what is left of the messages, in the usual formats. */
async function printMessages(
  messages: AsyncIterable<GetFlowsResponse[]>,
  job: OwnJob,
  where: Where | undefined,
  ctx: Context,
): Promise<void> {
  const { flags, renderer, sink } = job;
  const counter = new LossCounter();
  const summary = flags.lossSummary === true || flags.maxLoss !== undefined;
  let shown = 0;
  for await (const batch of messages) {
    for (const message of batch) {
      if (message.lost_events) counter.lost(message.lost_events);
      if (message.lost_events && summary) continue;
      if (message.flow) {
        counter.flow();
        shown++;
      }
      sink.add(renderer.response(message));
    }
    const status = renderer.takeStatus();
    if (status !== '' && !flags.silentErrors) await ctx.err.write(status);
    await sink.flush();
    if (summary) await counter.show(ctx, false);
  }
  await sink.end();
  if (summary) await counter.show(ctx, true);
  if (shown === 0 && flags.explain && !ctx.signal.aborted)
    await ctx.err.write(
      `${await (await import('./why-empty.ts')).whyEmpty(job, where !== undefined, ctx)}\n`,
    );
  counter.check(flags.maxLoss);
}
