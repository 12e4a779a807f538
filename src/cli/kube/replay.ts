import type { Option } from 'commander';
import { NotCollected } from '../../archive/not-collected.ts';
import type { RecordedAgent, RecordedRun } from '../../archive/recorded-agent.ts';
import type { Context } from '../../context.ts';
import type { AgentPlace } from '../../kube/agents.ts';
import { agentIn, noAgent, soleAgent } from '../../kube/road.ts';

/** The node of the only agent that the archive has. Throws UserError where it has several. */
export async function soleNode(ctx: Context): Promise<string> {
  return (await soleAgent(ctx)).node;
}

/** Prints what the agent's own program printed for these words when the archive was made, and ends as it did. */
export async function replay(
  called: string,
  args: readonly string[],
  options: readonly Option[],
  place: AgentPlace,
  ctx: Context,
): Promise<void> {
  const { archive } = ctx.globals;
  if (!archive) throw new Error('no archive is open');
  const agent = await archive.agent(place);
  if (!agent) throw await noAgent(archive, place);
  const flags = options.map(({ long, short, required, optional }) => ({
    long,
    short,
    takesValue: required || optional,
  }));
  const run = (await agent.run(args, flags)) ?? (await agent.run(withTable(called, args), flags));
  if (run) {
    await ctx.out.write(run.stdout.toString('utf8'));
    await ctx.err.write(run.stderr);
    ctx.exitCode = run.exitCode;
    return;
  }
  const like = (await agent.commands()).filter((one) => isLike(one, called));
  const why = like.length === 0 ? await archive.why({ node: place.node }) : undefined;
  throw new NotCollected(
    `${archive.label} does not hold what "${args.join(' ')}" printed on node ${place.node}${why ? ` (${why.text})` : ''}`,
    {
      hint:
        like.length > 0
          ? `What it holds of it: ${like.slice(0, 5).join(', ')}. The words have to be the same.`
          : 'It was not run when the archive was made.',
    },
  );
}

/** What the agent's own program printed for the first of several lines that was run; undefined where none was. */
export async function recordedOutput(lines: readonly string[], ctx: Context): Promise<string | undefined> {
  const { agent } = await agentOf(ctx);
  for (const line of lines) {
    const run = await agent?.run(line.split(' '), COMMON);
    if (run?.exitCode === 0) return run.stdout.toString('utf8');
  }
  return undefined;
}

/** The same with what it printed on stderr, also where it failed. Throws NotCollected, about `called`, where none was run. */
export async function recordedRun(
  lines: readonly string[],
  ctx: Context,
  called = lines[0],
): Promise<RecordedRun> {
  const { agent, place } = await agentOf(ctx);
  const { archive } = ctx.globals;
  if (!archive) throw new Error('no archive is open');
  if (!agent) throw await noAgent(archive, place);
  for (const line of lines) {
    const run = await agent.run(line.split(' '), COMMON);
    if (run) return run;
  }
  const why = await archive.why({ node: place.node });
  throw new NotCollected(
    `${archive.label} does not hold what "${called}" printed on node ${place.node}${why ? ` (${why.text})` : ''}`,
    { hint: 'It was not run when the archive was made, and what is asked for would follow from it.' },
  );
}

async function agentOf(ctx: Context): Promise<{ agent: RecordedAgent | undefined; place: AgentPlace }> {
  const { archive, elsewhere } = ctx.globals;
  const place = elsewhere ? await agentIn(ctx, elsewhere) : await soleAgent(ctx);
  return { agent: await archive?.agent(place), place };
}

/** Flags that the agent's verbs of maps have. */
const COMMON = [
  { long: '--all', takesValue: false },
  { long: '--output', short: '-o', takesValue: true },
  { long: '--numeric', short: '-n', takesValue: false },
];

/** The table of connections that is meant without a word; up to 1.15 it had to be named. */
function withTable(called: string, args: readonly string[]): readonly string[] {
  return called === 'bpf ct list' && (args[3] ?? '-').startsWith('-') ? args.toSpliced(3, 0, 'global') : args;
}

/** Whether a command that was run is the verb with other flags; the reference joins words by hyphens. */
function isLike(command: string, called: string): boolean {
  const words = (text: string) => text.replace(/^(?:\S*\/)?cilium(?:-dbg)?[ -]/, '').replaceAll('-', ' ');
  return words(command).startsWith(called.replaceAll('-', ' '));
}
