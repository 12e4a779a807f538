import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { formatKey, KEY_ALGORITHMS, newKey } from '../../cluster/encryption/key.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { createKey, hasKey, IPSEC_SECRET } from '../../kube/ipsec-secret.ts';
import { addWaitDuration, algorithmOf, openCilium, type WaitFlag } from './cluster-flags.ts';

interface CreateKeyFlags extends WaitFlag, WriteOptions {
  authAlgo: string;
}

/** Declares `encryption create-key`. */
export function addCreateKeyCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      new Option('--auth-algo <name>', `Algorithm: ${KEY_ALGORITHMS.join(', ')}`).default('rfc4106-gcm-aes'),
    )
    .addHelpText(
      'after',
      examples(
        'cilium encryption create-key',
        'cilium encryption create-key --auth-algo cbc-aes-sha256 --dry-run',
      ),
    )
    .action((flags: CreateKeyFlags) => runCreateKey(flags, ctx));
  writeFlags(addWaitDuration(command));
}

/** Makes the Secret with a key that nobody has seen; one that is there stays. */
export async function runCreateKey(flags: CreateKeyFlags, ctx: Context): Promise<void> {
  const algorithm = algorithmOf(flags.authAlgo);
  const what = 'Unable to create IPsec key';
  const { client, namespace } = await openCilium(ctx, flags.waitDuration);
  const isThere = await hasKey(client, namespace).catch(
    unable(`${what}: failed to check if IPsec secret exists`),
  );
  if (isThere) throw exists(what);
  const key = newKey(algorithm, randomBytes);
  const create = (dryRun: boolean) =>
    createKey(client, namespace, formatKey(key), dryRun).catch(
      unable(`${what}: failed to create IPsec secret with new key`),
    );
  // What the API server would refuse is told by a dry run too.
  if (flags.dryRun && !(await create(true))) throw exists(what);
  const done = `create the Secret ${namespace}/${IPSEC_SECRET} with an IPsec key for ${key.algorithm}`;
  if (!(await mayWrite(ctx, done, flags))) return;
  if (!(await create(false))) throw exists(what);
  await ctx.out.write(`IPsec key successfully created, new key SPI: ${key.spi}\n`);
}

function exists(what: string): UserError {
  return new UserError(
    `${what}: IPsec secret already exists, rotate key if needed using \`cilium encryption rotate-key\` command`,
  );
}
