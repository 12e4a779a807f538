import type { Command, Option } from 'commander';
import type { Context, Elsewhere } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { AGENT_CONTAINER, findAgent } from '../../kube/agents.ts';
import { byAgentProgram, execStream } from '../../kube/exec.ts';
import { agentIn, openCluster } from '../../kube/road.ts';
import { AGENT_GLOBALS, BPF_GLOBALS, ELSEWHERE_GLOBALS } from '../global-flags.ts';
import type { Resolved } from '../tree.ts';
import { flagsOfVerb } from '../usage/usage.ts';

/**
 * Runs a verb by the agent's own program in its pod, with the same words but for the flags that say where it is, and
 * prints what it prints. What the words mean is up to the agent's release. Sets its exit code.
 */
export async function runInPod(
  words: readonly string[],
  path: Resolved['path'],
  command: Command | undefined,
  elsewhere: Elsewhere,
  ctx: Context,
): Promise<void> {
  const called = path.map(({ name }) => name).join(' ');
  const { archive } = ctx.globals;
  if (archive && path.some(({ verb }) => verb.here))
    throw new UserError(
      `${called} reads maps as they are, and ${archive.label} holds what was printed of some of them`,
      {
        hint: 'The lists of the agent are there: cilium bpf ct list --from ARCHIVE, bpf policy get, map list …',
      },
    );
  if (path.some(({ verb }) => verb.here))
    throw new UserError(`${called} reads the maps of this machine: no agent has it in its own command line`, {
      hint: 'Run it on the node itself.',
    });
  if (command) refuseOwnFlags(command, called);
  const args = withoutPlace(inFull(words, path), command?.options ?? []);
  if (archive) {
    const { replay } = await import('./replay.ts');
    return await replay(called, args, command?.options ?? [], await agentIn(ctx, elsewhere), ctx);
  }
  const { target, namespace } = elsewhere;
  await using client = await openCluster(ctx);
  const { pod, namespace: of } = await findAgent(client, target, namespace);
  const decoder = new TextDecoder();
  const print = (bytes: Buffer) => ctx.out.write(decoder.decode(bytes, { stream: true }));
  const { exitCode, stderr } = await byAgentProgram((program) =>
    execStream(
      client,
      { namespace: of, pod, container: AGENT_CONTAINER, command: [program, ...args] },
      print,
    ),
  );
  await ctx.out.write(decoder.decode());
  await ctx.err.write(stderr);
  ctx.exitCode = exitCode;
}

/** Flags of verbs that write and of lists, which no verb of the agent's program has. */
const OWN = new Set(['dry-run', 'yes', 'columns', 'sort', 'no-headers', 'watch', 'interval']);

/** Flags of the verb that no release of the agent's program has would be errors there, in a form that says less. */
function refuseOwnFlags(command: Command, called: string): void {
  const known = flagsOfVerb(called.split(' '));
  const families = [ELSEWHERE_GLOBALS.title, AGENT_GLOBALS.title, BPF_GLOBALS.title];
  const own = command.options.find(
    (option) =>
      !families.includes(option.helpGroupHeading ?? '') &&
      command.getOptionValueSource(option.attributeName()) === 'cli' &&
      (known ? !known.has(option.name()) : OWN.has(option.name())),
  );
  if (own)
    throw new UserError(
      `${own.long ?? own.short} is this program's own, and ${called} is run by the command line of the agent`,
      { hint: 'On the node itself it works.' },
    );
}

/** With the noun's own name: the agent's program knows none of the shorter ones. */
function inFull(words: readonly string[], path: Resolved['path']): string[] {
  const [noun] = path;
  const at = words.findIndex((word) => noun?.verb.aliases?.includes(word));
  return noun && at >= 0 ? words.with(at, noun.name) : [...words];
}

/** Without the flags that are this program's own: of the cluster, and of how it prints. */
function withoutPlace(words: readonly string[], options: readonly Option[]): string[] {
  const under = (...titles: string[]) =>
    options.filter(({ helpGroupHeading }) => titles.includes(helpGroupHeading ?? ''));
  const own = under(ELSEWHERE_GLOBALS.title, AGENT_GLOBALS.title);
  const refused = under(BPF_GLOBALS.title);
  const kept: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') return [...kept, ...words.slice(i)];
    const local = flagIn(refused, word);
    if (local)
      throw new UserError(`${local.long} is for the maps of this machine, and an agent elsewhere is named`);
    const option = flagIn(own, word);
    if (!option) kept.push(word);
    else if (option.required && (word === option.long || word === option.short)) i++;
  }
  return kept;
}

/** The flag that a word is or begins with: `--node`, `--node=n1`, `-nX`. */
function flagIn(options: readonly Option[], word: string): Option | undefined {
  return options.find(
    ({ long, short, required }) =>
      word === long ||
      (long && word.startsWith(`${long}=`)) ||
      word === short ||
      (required && short && !word.startsWith('--') && word.startsWith(short)),
  );
}
