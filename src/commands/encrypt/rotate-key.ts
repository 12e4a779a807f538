import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { formatKey, KEY_ALGORITHMS, newKey, parseKey, rotateKey } from '../../cluster/encryption/key.ts';
import { type NodeSpi, rotationUnderWay } from '../../cluster/encryption/rotation.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, wordsOf } from '../../kube/client.ts';
import { readConfigMap } from '../../kube/config-map.ts';
import { listNodeSpis, readKey, replaceKey, type StoredKey } from '../../kube/ipsec-secret.ts';
import { parseDurationMs } from '../../lib/duration.ts';
import { goDuration } from '../../render/text/duration.ts';
import { addWaitDuration, algorithmOf, openCilium, type WaitFlag } from './cluster-flags.ts';

interface RotateKeyFlags extends WaitFlag, WriteOptions {
  authAlgo: string;
  force?: boolean;
  wait?: boolean;
}

const WHAT = 'Unable to rotate IPsec key';
const POLL_MS = 2000;
/** Unless the ConfigMap says otherwise. */
const KEPT_MS = 300_000;

/** Declares `encryption rotate-key`. */
export function addRotateKeyCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      new Option(
        '--auth-algo <name>',
        `Algorithm: ${KEY_ALGORITHMS.join(', ')} (default: that of the present key)`,
      ).default('', ''),
    )
    .option('--wait', 'Wait until every node encrypts with the new key')
    .option(
      '--force',
      'Rotate although nodes have yet to take up the present key, or it is not known, or others keep it',
    )
    .addHelpText(
      'after',
      examples(
        'cilium encryption rotate-key --wait --wait-duration 10m',
        'cilium encryption rotate-key --auth-algo rfc4106-gcm-aes --dry-run',
      ),
    )
    .action((flags: RotateKeyFlags) => runRotateKey(flags, ctx));
  writeFlags(addWaitDuration(command));
}

/** Puts a new key in the place of the one in use, and tells how far the nodes are. */
export async function runRotateKey(flags: RotateKeyFlags, ctx: Context): Promise<void> {
  const algorithm = flags.authAlgo === '' ? undefined : algorithmOf(flags.authAlgo);
  const { client, namespace } = await openCilium(ctx, flags.waitDuration);
  const stored = await readKey(client, namespace).catch(unable(`${WHAT}: failed to fetch IPsec secret`));
  const old = await attempt(() => parseKey(stored.text));
  const key = await attempt(() =>
    algorithm === undefined ? rotateKey(old, randomBytes) : newKey(algorithm, randomBytes, old),
  );
  const nodes = flags.force ? await nodesOf(client, ctx) : await listNodeSpis(client).catch(refuseUnseen);
  if (!flags.force) {
    refuseHaste(stored, nodes, old.spi);
    if (nodes?.some(({ spi }) => spi !== 0)) await refuseTooSoon(client, stored, ctx);
  }
  const put = (dryRun: boolean) =>
    replaceKey(client, stored, formatKey(key), dryRun).catch(
      unable(`${WHAT}: failed to patch IPsec secret with new key`),
    );
  // What the API server would refuse is told by a dry run too.
  if (flags.dryRun) await put(true);
  const done = `rotate the IPsec key in ${namespace} from SPI ${old.spi} (${old.algorithm}) to SPI ${key.spi} (${key.algorithm})`;
  if (!(await mayWrite(ctx, done, flags))) return;
  await put(false);
  await ctx.out.write(`IPsec key successfully rotated, new key SPI: ${key.spi}\n`);
  if (nodes?.every(({ spi }) => spi === 0))
    return ctx.err.write('No node encrypts with IPsec: none waits for the key.\n');
  if (nodes) await follow(client, key.spi, flags, ctx);
}

async function attempt<T>(make: () => T): Promise<T> {
  return Promise.resolve().then(make).catch(unable(WHAT));
}

/** Which key each node encrypts with; undefined, and why, where that cannot be told. */
async function nodesOf(client: KubeClient, ctx: Context): Promise<NodeSpi[] | undefined> {
  try {
    return await listNodeSpis(client);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await ctx.err.write(`Which key the nodes encrypt with is not known: ${wordsOf(error)}\n`);
    return undefined;
  }
}

/** Whether it is too early to rotate cannot be told. */
function refuseUnseen(error: unknown): never {
  if (!(error instanceof UserError)) throw error;
  throw new UserError(
    `${WHAT}: which key the nodes encrypt with (ciliumnodes of cilium.io/v2) could not be read: ${wordsOf(error)}`,
    {
      hint: 'Nothing was changed. Where nodes have yet to take up the present key a further one cuts them off; to rotate all the same: --force.',
      cause: error,
    },
  );
}

/** A node keeps one key beside the newest: it would lose the one that its peers still use. */
function refuseHaste({ owners }: StoredKey, nodes: readonly NodeSpi[] | undefined, spi: number): void {
  if (owners.length > 0)
    throw new UserError(`${WHAT}: the Secret is kept by ${owners.join(' and ')}, which would set it back`, {
      hint: 'Rotate the key there; --force rotates it here.',
    });
  const late = rotationUnderWay(nodes ?? [], spi);
  if (late.length > 0)
    throw new UserError(
      `${WHAT}: ${late.length} of ${nodes?.length} nodes have yet to take up the present key (SPI ${spi}): ${named(late)}`,
      { hint: 'Wait until they have, or rotate all the same: --force. See: cilium encryption status' },
    );
}

/** When the previous key is gone, the agents' `ipsec-key-rotation-duration` says. */
async function refuseTooSoon(client: KubeClient, stored: StoredKey, ctx: Context): Promise<void> {
  const { data } = await readConfigMap(client, stored.namespace).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return { data: {} as Record<string, string> };
  });
  const keptMs = parseDurationMs(data['ipsec-key-rotation-duration'] ?? '') ?? KEPT_MS;
  const ageMs = stored.writtenMs === undefined ? keptMs : ctx.clock.nowMs() - stored.writtenMs;
  if (ageMs >= keptMs) return;
  throw new UserError(
    `${WHAT}: the present key was written ${goDuration(Math.max(0, Math.trunc(ageMs / 1000)) * 1e9)} ago, and nodes keep the one before it for ${goDuration(keptMs * 1e6)}`,
    { hint: 'Wait until that is over, or rotate all the same: --force.' },
  );
}

/** Tells how many nodes encrypt with the new key; with `--wait` until all do. */
async function follow(client: KubeClient, spi: number, flags: RotateKeyFlags, ctx: Context): Promise<void> {
  let told = '';
  for (let waited = 0; ; waited += POLL_MS) {
    const nodes = await nodesOf(client, ctx);
    if (!nodes) return;
    const late = nodes.filter((one) => one.spi !== spi);
    const now = `${nodes.length - late.length} of ${nodes.length} nodes encrypt with the new key (SPI ${spi})\n`;
    if (now !== told) await ctx.err.write(now);
    told = now;
    if (late.length === 0) return;
    if (!flags.wait)
      return ctx.err.write(
        'The others follow when their agents have read it. Until the previous key is gone, see: cilium encryption status\n',
      );
    if (waited + POLL_MS > flags.waitDuration)
      throw new UserError(`not all nodes encrypt with the new key yet: ${named(late)}`, {
        hint: 'The key was rotated. A longer --wait-duration waits longer.',
      });
    await ctx.clock.sleep(POLL_MS, ctx.signal);
  }
}

const NAMED = 5;

function named(nodes: readonly NodeSpi[]): string {
  const names = nodes
    .slice(0, NAMED)
    .map(({ node, spi }) => `${node} (${spi === 0 ? 'none' : `SPI ${spi}`})`);
  return nodes.length > NAMED ? `${names.join(', ')} …` : names.join(', ');
}
