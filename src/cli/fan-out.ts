import { agentAddress, connectAgent } from '../agent/client.ts';
import type { Cluster, Context, Elsewhere, Everywhere, Output } from '../context.ts';
import { errorMessage, isUnreachable, UserError } from '../errors.ts';
import type { Stop } from '../kube/agents.ts';
import { bounded } from '../lib/bounded.ts';
import type { Dial } from '../lib/dial.ts';
import { formatJson, parseJson } from '../lib/exact-json.ts';
import { once } from '../lib/once.ts';
import { paletteFor } from '../render/text/palette.ts';
import type { Printing } from './everywhere.ts';
import { PARTIAL } from './exit-codes.ts';
import { lineByLine, prefixed } from './line-output.ts';
import { Outage, RESTART_TIMES } from './outage.ts';
import { ProgressLine } from './progress.ts';

/** What a node's run left behind. */
interface Outcome {
  stop: Stop;
  out: string;
  err: string;
  failed: boolean;
  /** Why the connection was lost, or not made; undefined when it was not. */
  broke?: string | undefined;
}

/** What is kept of a node until those before it are printed. */
const MAX_OUTPUT = 64 * 1024 * 1024;
/** How long a node may take, where `--timeout` does not say so. */
const NODE_MS = 10_000;
/** From this number of nodes on, a terminal shows how many have answered. */
const MANY_NODES = 20;
/** How often a node is asked whose connection breaks. */
const MAX_ATTEMPTS = 3;

/** A verb, as main runs it. */
export type Run = (argv: readonly string[], ctx: Context) => Promise<number>;

/**
 * Runs a verb for each agent of a cluster, several at once, and writes what they print in the order of the nodes, each line
 * behind the name of its node. Returns the exit code: 0 when all succeeded, 3 when some did, 1 when none did.
 */
export async function runEverywhere(
  argv: readonly string[],
  everywhere: Everywhere,
  { streams, namesNode, isJson }: Required<Printing>,
  run: Run,
  ctx: Context,
): Promise<number> {
  const { openRoads } = await import('../kube/road.ts');
  const { stops, answers } = await openRoads(ctx, everywhere);
  if (stops.length === 0)
    throw new UserError('no node of the cluster is meant', {
      hint: everywhere.selector
        ? `No node has the labels ${everywhere.selector} (--limit-nodes).`
        : undefined,
    });
  const words = withoutFanOut(argv);
  const width = Math.max(...stops.map(({ node }) => node.length), 'NODE'.length);
  const json = !streams && !namesNode && isJson;
  const nodeMs = ctx.globals.timeoutMs ?? NODE_MS;
  const limitMs = streams ? undefined : nodeMs;
  const color = paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  const liveOf = ({ node }: Stop) => (namesNode ? '' : `${color.named(node, node.padEnd(width))}  `);
  const runOne = (stop: Stop) =>
    runAt(stop, words, everywhere, { limitMs, live: streams ? liveOf(stop) : undefined }, run, ctx);
  // Nothing of a node is printed before it has come to its end: what breaks is begun again. A stream goes on by itself.
  const progress = new ProgressLine(ctx.err);
  const outage = new Outage(() => answers(nodeMs * RESTART_TIMES), ctx.err, progress);
  const again = runAgain(runOne, outage, ctx);
  let done = 0;
  const counted = async (stop: Stop) => {
    const outcome = await again(stop);
    if (stops.length >= MANY_NODES) await progress.show(`${++done} of ${stops.length} nodes asked`);
    return outcome;
  };
  const begin = streams ? runOne : counted;
  const outcomes = bounded(stops, streams ? stops.length : everywhere.concurrency, begin);
  let [failed, isFirst] = [0, true];
  const values: unknown[] = [];
  for (const outcome of outcomes) {
    const { stop, out, err, failed: bad } = await outcome;
    if (ctx.signal.aborted) {
      await Promise.allSettled(outcomes);
      // Who stops a stream has seen enough; who stops a list has not seen all of it.
      if (streams) return 0;
      throw ctx.signal.reason;
    }
    if (bad) failed++;
    if (out !== '' || err !== '') await progress.clear();
    if (json) values.push(nodeValue(stop, out, err, bad));
    else if (namesNode) await ctx.out.write(out);
    else {
      const lines = tableOf(ended(out), stop.node, width, isFirst);
      if (lines !== '') isFirst = false;
      await ctx.out.write(lines);
    }
    if (err !== '') await ctx.err.write(prefixed(ended(err), `${stop.node}: `));
  }
  await progress.clear();
  if (json) await ctx.out.write(`${formatJson(values, 2)}\n`);
  if (failed === 0) return 0;
  await ctx.err.write(`${failed} of ${stops.length} nodes failed\n`);
  return failed === stops.length ? 1 : PARTIAL;
}

/** Runs that a break of their connection does not end: they are run again once the API server answers. */
function runAgain(
  runOne: (stop: Stop) => Promise<Outcome>,
  outage: Outage,
  ctx: Context,
): (stop: Stop) => Promise<Outcome> {
  return async (stop) => {
    for (let attempt = 1; ; attempt++) {
      const outcome = await runOne(stop);
      if (outcome.broke === undefined || attempt === MAX_ATTEMPTS || ctx.signal.aborted) return outcome;
      if (!(await outage.wait(outcome.broke)) || ctx.signal.aborted) return outcome;
    }
  };
}

/** One node's run. What it prints is kept, or printed line by line as it comes, behind the text of `live`. */
async function runAt(
  stop: Stop,
  argv: readonly string[],
  { selector: _, concurrency: __, ...cluster }: Everywhere,
  { limitMs, live }: { limitMs: number | undefined; live: string | undefined },
  run: Run,
  ctx: Context,
): Promise<Outcome> {
  const { node } = stop;
  const [out, err] = [collector(ctx.out), collector(ctx.err)];
  // Others go on meanwhile, so that what is wrong is told at once.
  const liveErr = live === undefined ? undefined : lineByLine(ctx.err, `${node}: `);
  const tell = liveErr ?? err;
  if (!stop.dial) {
    await tell.write(`${stop.trouble ?? 'no agent'}\n`);
    return { stop, out: '', err: err.text, failed: true };
  }
  let broke: string | undefined;
  const dial = watched(stop.dial, (why) => {
    broke ??= why;
  });
  const deadline = limitMs === undefined ? undefined : AbortSignal.timeout(limitMs);
  const signal = AbortSignal.any([ctx.signal, deadline].filter((s) => s !== undefined));
  const here: Context = {
    ...contextAt({ ...stop, dial }, cluster, { ...ctx, signal }),
    tty: undefined,
    out: live === undefined ? out : lineByLine(ctx.out, live),
    err: tell,
  };
  // A word behind `--` is no flag.
  const end = argv.indexOf('--');
  const words = argv.toSpliced(end < 0 ? argv.length : end, 0, '--node', node);
  const code = await run(words, here).catch(async (error: unknown) => {
    await tell.write(`${errorMessage(error)}\n`);
    return 1;
  });
  if (!deadline?.aborted) return { stop, out: out.text, err: err.text, failed: code !== 0, broke };
  return { stop, out: out.text, err: `no answer within ${(limitMs ?? 0) / 1000} s\n`, failed: true };
}

/** The context of a verb that asks the agent of one node. */
export function contextAt(
  { node, dial, collectedMs }: Stop & { dial: Dial },
  cluster: Cluster,
  ctx: Context,
): Context {
  const { signal } = ctx;
  const elsewhere: Elsewhere = { ...cluster, target: { node } };
  const globals = { ...ctx.globals, elsewhere, collectedMs };
  return {
    ...ctx,
    globals,
    clock: { ...ctx.clock, nowMs: () => globals.archive?.nowMs(collectedMs) ?? ctx.clock.nowMs() },
    dial,
    agent: once(async () =>
      connectAgent(agentAddress({ env: ctx.env, globals }), signal, {
        timeoutMs: ctx.globals.timeoutMs,
        dial,
      }),
    ),
    exitCode: 0,
  };
}

/** Tells of a connection that breaks, or cannot be made. */
function watched(dial: Dial, tell: (why: string) => void): Dial {
  const look = (error: unknown) => {
    if (isUnreachable(error)) tell(errorMessage(error));
  };
  return async (path, signal) => {
    try {
      return (await dial(path, signal)).on('error', look);
    } catch (error) {
      look(error);
      throw error;
    }
  };
}

/** Keeps what is written; the door is passed when it is printed. */
function collector({ isTTY, columns }: Output): Output & { text: string } {
  return {
    text: '',
    isTTY,
    columns,
    async write(text) {
      if (this.text.length + text.length > MAX_OUTPUT)
        throw new UserError(`it prints more than ${MAX_OUTPUT / 1024 / 1024} MiB`, {
          hint: 'Ask this node alone: --node.',
        });
      this.text += text;
    },
    pass(bytes) {
      return this.write(Buffer.from(bytes).toString('utf8'));
    },
  };
}

/** With an end of its last line, which another node's would go on with. */
function ended(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

/** The lines of a node; those of a table's header only where it is the first. */
function tableOf(text: string, node: string, width: number, isFirst: boolean): string {
  const lines = text.split('\n');
  const rows = lines.findIndex((line) => !isHeader(line));
  const header = lines
    .slice(0, Math.max(rows, 0))
    .map((line, i) => `${(i === 0 ? 'NODE' : '').padEnd(width)}  ${line}`);
  const body = lines.slice(Math.max(rows, 0)).join('\n');
  return (
    (isFirst && header.length > 0 ? `${header.join('\n')}\n` : '') + prefixed(body, `${node.padEnd(width)}  `)
  );
}

/** Columns' names are capitals; what stands in brackets explains them. */
function isHeader(line: string): boolean {
  const plain = line.replace(/\([^)]*\)|\[[^\]]*\]/g, '').replace(/IPv[46]/g, 'IP');
  return /^\s*[A-Z][A-Z#/ -]*(?: {2,}[A-Z#][A-Z#/ -]*)+\s*$/.test(plain);
}

function nodeValue({ node, pod }: Stop, out: string, err: string, failed: boolean): object {
  const named = { node, ...(pod !== undefined && { pod }) };
  if (failed) return { ...named, error: err.trim() };
  try {
    return { ...named, value: parseJson(out) };
  } catch {
    return { ...named, value: out };
  }
}

/** The words without the flags that ask for every node. */
function withoutFanOut(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    if (word === '--') return [...words, ...argv.slice(i)];
    if (word === '--all-nodes' || /^--(?:all-nodes|limit-nodes|concurrency)=/.test(word)) continue;
    if (word === '--limit-nodes' || word === '--concurrency') i++;
    else words.push(word);
  }
  return words;
}
