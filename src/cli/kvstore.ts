import type { Command } from 'commander';
import { readConfig } from '../agent/decode/config.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { etcdConfigOf } from '../kvstore/config.ts';
import { EtcdClient } from '../kvstore/etcd.ts';
import type { AgentConfig } from '../model/config.ts';
import { failed } from './answer.ts';
import { familyFlag } from './flags.ts';

const TIMEOUT_MS = 30_000;

/** Runs `use` with the kvstore that the flags name, or else the agent's own. */
export async function withKvstore<T>(
  ctx: Context,
  command: Command,
  use: (kvstore: EtcdClient) => Promise<T>,
): Promise<T> {
  const named = familyFlag<string>(command, 'kvstore');
  const given = parsePairs(familyFlag<string[]>(command, 'kvstoreOpt') ?? []);
  const complete = named && Object.keys(given).length > 0;
  const own = complete ? undefined : await agentKvstore(ctx);
  const type = named || own?.type || '';
  if (type === '')
    throw new UserError('the agent uses no kvstore', {
      hint: 'It keeps its state in Kubernetes (CRD mode). Name a store with --kvstore etcd --kvstore-opt etcd.address=URL.',
    });
  if (type !== 'etcd')
    throw new UserError(`kvstore type "${type}" is not supported`, {
      hint: 'etcd is the only kvstore of current Cilium releases.',
    });
  const options = Object.keys(given).length > 0 ? given : (own?.options ?? {});
  const kvstore = new EtcdClient(await etcdConfigOf(options), {
    timeoutMs: ctx.globals.timeoutMs ?? TIMEOUT_MS,
    signal: ctx.signal,
  });
  try {
    return await use(kvstore);
  } finally {
    await kvstore.close();
  }
}

async function agentKvstore(ctx: Context): Promise<AgentConfig['kvstore']> {
  const config = await readConfig(await ctx.agent()).catch(failed('Unable to retrieve cilium configuration'));
  return config.kvstore;
}

/** `name=value` pairs, each its own or several in a JSON map. */
function parsePairs(words: readonly string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at <= 0)
      throw new UserError(`--kvstore-opt: "${word}" is not an option`, {
        hint: 'Expected name=value, such as etcd.address=http://127.0.0.1:2379.',
      });
    pairs[word.slice(0, at)] = word.slice(at + 1);
  }
  return pairs;
}
