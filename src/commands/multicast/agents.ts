import { type Command, Option } from 'commander';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { durationOption } from '../../cli/flags.ts';
import { type Printed, reasonOf, runInAgent, type Said, type Silent } from '../../cli/kube/each-agent.ts';
import { addListOptions, type ListFlags, printTable } from '../../cli/list.ts';
import { LIST_FORMATS } from '../../cli/output.ts';
import { isGroup } from '../../cluster/multicast.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { AgentPod } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { type Form, ofForm } from '../../lib/form.ts';
import type { Table } from '../../render/text/blocks.ts';
import { goJson } from '../../render/text/json.ts';

/** Flags that all verbs of multicast groups have. */
export interface MulticastOptions {
  /** Milliseconds. */
  waitDuration: number;
  groupIp?: string;
}

/** Those of a list. */
export interface MulticastListOptions extends MulticastOptions, ListFlags {}

/** The group that is meant. */
export function groupOption(): Option {
  return new Option('-g, --group-ip <address>', 'Multicast group IP address');
}

/** How long all of it may take. */
export function waitOption(): Option {
  return durationOption('--wait-duration <duration>', 'How long all of it may take').default(60_000, '1m');
}

/** Flags of a list. */
export function addListFlags(command: Command): Command {
  command
    .addOption(waitOption())
    .addOption(
      new Option('-o, --output <format>', 'Output format')
        .choices(['json', 'summary', ...LIST_FORMATS])
        .default('summary'),
    );
  return addListOptions(command);
}

/** The group that a flag names. Throws UserError, with what was to be done, where it names none. */
export function groupOf(text: string | undefined, unable: string): string {
  if (!text)
    throw new UserError(`${unable}: group-ip must be specified`, {
      hint: 'Name it: --group-ip 239.255.0.1',
    });
  if (!isGroup(text))
    throw new UserError(`${unable}: invalid multicast IP: ${text}`, {
      hint: 'Expected an address within 224.0.0.0/4.',
    });
  return text;
}

/** Runs `bpf multicast …` by the agent's own command line. */
export function multicast(
  client: KubeClient,
  place: AgentPod,
  ...words: readonly string[]
): Promise<Printed> {
  return runInAgent(client, place, ['bpf', 'multicast', ...words]);
}

/** Throws with the words of a command that failed. */
export function failedAs(printed: Printed): UserError {
  return new UserError(reasonOf(printed));
}

const SUBSCRIBER: Form = {
  fields: { SAddr: 'text', Ifindex: 'number', IsRemote: 'flag' },
  needs: ['SAddr'],
};
/** What the agent's own command line prints. */
export const GROUPS: Form = { list: 'text' };
export const SUBSCRIBERS: Form = {
  list: { fields: { group_address: 'text', subscribers: { list: SUBSCRIBER } }, needs: ['group_address'] },
};

/** What an agent printed as JSON, which is a list or nothing. */
export function listIn<T>({ stdout }: Printed, form: Form): T[] | null {
  try {
    const value = parsePlainJson(stdout);
    return value === null ? null : ofForm<T[]>(value, form);
  } catch (cause) {
    throw new UserError(`what it printed is not understood: ${errorMessage(cause)}`, { cause });
  }
}

/** Prints what the agents told, and says which of them did not. */
export async function printTold<T>(
  { said, silent }: { said: readonly Said<T>[]; silent: readonly Silent[] },
  unable: string,
  table: (nodes: readonly T[]) => Table,
  flags: ListFlags,
  ctx: Context,
): Promise<void> {
  const reasons = silent.map(({ node, why }) => `${node}: ${why}`);
  if (said.length === 0) throw new UserError(`${unable}: ${reasons.join('\n')}`);
  const values = said.map(({ value }) => value);
  if (flags.output === 'json') await ctx.out.write(`${goJson(values, 2)}\n`);
  else await printTable(ctx, flags, table(values));
  if (reasons.length === 0) return;
  await ctx.err.write(`${unable}: ${reasons.join('\n')}\n`);
  ctx.exitCode = PARTIAL;
}
