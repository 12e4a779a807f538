import type { Command } from 'commander';
import { decodeEncryption } from '../../agent/decode/encryption.ts';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { examples } from '../../cli/flags.ts';
import { askEach, reasonOf, runInAgent } from '../../cli/kube/each-agent.ts';
import { unable } from '../../cli/kube/unable.ts';
import { expectedKeys, type NodeEncryption, summarize } from '../../cluster/encryption/status.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type AgentPod, listAgents } from '../../kube/agents.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { CONFIG_MAP, readConfigMap } from '../../kube/config-map.ts';
import {
  encryptionStatusJson,
  nodeEncryptionJson,
  renderEncryptionStatus,
  renderNodeEncryption,
} from '../../render/cluster/encryption.ts';
import { addStatusFlags, type EncryptionStatusFlags, openCilium, summaryOption } from './cluster-flags.ts';

const WHAT = 'Unable to print encryption status';

/** Declares `encryption status`. */
export function addEncryptionStatusCommand(command: Command, ctx: Context): void {
  command
    .addOption(summaryOption())
    .addHelpText(
      'after',
      examples('cilium encryption status', 'cilium encryption status --per-node-details --node worker-2'),
    )
    .action((flags: EncryptionStatusFlags) => runEncryptionStatus(flags, ctx));
  addStatusFlags(command);
}

/** Prints how the nodes of a cluster encrypt, as their agents tell. */
export async function runEncryptionStatus(flags: EncryptionStatusFlags, ctx: Context): Promise<void> {
  const { node, agentPodSelector: selector, waitDuration: waitMs, output, perNodeDetails } = flags;
  const { client, namespace } = await openCilium(ctx, waitMs);
  const asked = { node, selector, waitMs };
  const { said, silent } = await askEach(
    client,
    asked,
    (agent, signal) => askAgent(client, agent, signal),
    ctx,
  ).catch(unable(WHAT));
  for (const { node: at, why } of silent) await ctx.err.write(`${at}: ${why}\n`);
  if (said.length === 0)
    throw new UserError(
      `${WHAT}: ${silent.map(({ pod, why }) => `failed to fetch encryption status from ${pod}: ${why}`).join('\n')}`,
    );
  if (silent.length > 0) ctx.exitCode = PARTIAL;
  const told = said.map(({ node: at, value }): NodeEncryption => ({ node: at, ...value }));
  const nodes = said.length + silent.length;
  const all = node === undefined ? nodes : (await listAgents(client, { namespace, selector })).length;
  const usesIpsec = told.some(({ state }) => state.mode === 'IPsec');
  const expected = usesIpsec ? expectedKeys(await configOf(client, namespace), all) : 0;
  const isJson = output === 'json';
  if (perNodeDetails)
    return ctx.out.write((isJson ? nodeEncryptionJson : renderNodeEncryption)(told, expected));
  const status = summarize(told, expected, nodes);
  await ctx.out.write((isJson ? encryptionStatusJson : renderEncryptionStatus)(status));
}

async function configOf(client: KubeClient, namespace: string): Promise<Record<string, string>> {
  const { data } = await readConfigMap(client, namespace).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${WHAT}: unable get ConfigMap "${CONFIG_MAP}": ${wordsOf(error)}`, {
      hint: error.hint,
      cause: error,
    });
  });
  return data;
}

/** What the kernel of the node holds, only the agent's own command line tells. */
async function askAgent(
  client: KubeClient,
  agent: AgentPod,
  signal: AbortSignal,
): Promise<Pick<NodeEncryption, 'state' | 'document'>> {
  const printed = await runInAgent(client, agent, ['encrypt', 'status', '-o', 'json'], signal);
  if (printed.exitCode !== 0) throw new UserError(reasonOf(printed));
  const told = decodeEncryption(printed.stdout);
  if (told.state.mode === 'IPsec') await refuseOld(client, agent, signal);
  return told;
}

/** Agents before 1.18 count keys, and those from it on what the keys are used for. */
async function refuseOld(client: KubeClient, agent: AgentPod, signal: AbortSignal): Promise<void> {
  const asked = await runInAgent(client, agent, ['version', '-o', 'jsonpath={$.Daemon.Version}'], signal);
  const [version = '', major, minor] = /^\s*(\d+)\.(\d+)(?:\.\d+)?/.exec(asked.stdout) ?? [];
  if (asked.exitCode !== 0 || version === '')
    throw new UserError(`unable to get Cilium version: ${reasonOf(asked)}`);
  if (Number(major) > 1 || Number(minor) >= 18) return;
  throw new UserError(`Cilium version is too old: ${version.trim()} (command is supported since 1.18)`);
}
