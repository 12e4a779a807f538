import type { Command } from 'commander';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { withKvstore } from '../../cli/kvstore.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { EtcdClient, KeyValue } from '../../kvstore/etcd.ts';
import { sanitize } from '../../render/text/sanitize.ts';

interface KvstoreGetOptions extends OutputFlag {
  recursive?: boolean;
}

/** Declares `kvstore get`. */
export function addKvstoreGetCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium kvstore get --recursive cilium/state/nodes/v1',
        'cilium kvstore get cilium/key --kvstore etcd --kvstore-opt etcd.address=http://127.0.0.1:2379',
      ),
    )
    .argument('[key]', 'the key, or with --recursive a prefix of keys', '')
    .option('--recursive', 'Recursive lookup')
    .addOption(outputOption())
    .action((key: string, options: KvstoreGetOptions) =>
      withKvstore(ctx, command, (kvstore) =>
        options.recursive ? getAll(kvstore, key, options, ctx) : getOne(kvstore, key, options, ctx),
      ),
    );
}

/** What is printed as one document is collected first. */
const MAX_STRUCTURED_BYTES = 64 * 1024 * 1024;

function line({ key, value }: KeyValue): string {
  return `${sanitize(key)} => ${sanitize(value.toString())}\n`;
}

async function getOne(kvstore: EtcdClient, key: string, options: OutputFlag, ctx: Context): Promise<void> {
  if (key === '')
    throw new UserError('Please specify a key', { hint: 'With --recursive, no key means all of them.' });
  const found = await kvstore.get(key).catch(failed(`Unable to retrieve key ${key}`));
  if (!found) throw new UserError(`key ${key} is not found`);
  if (options.output) return writeStructured(ctx, options.output, found.value.toString());
  await ctx.out.write(line(found));
}

async function getAll(kvstore: EtcdClient, prefix: string, options: OutputFlag, ctx: Context): Promise<void> {
  const pairs: [string, object][] = [];
  let size = 0;
  try {
    for await (const page of kvstore.list(prefix)) {
      if (!options.output) {
        await ctx.out.write(page.map(line).join(''));
        continue;
      }
      for (const { key, value, modRevision, lease } of page) {
        size += key.length + value.length;
        pairs.push([
          key,
          {
            Data: value.toString('base64'),
            ModRevision: modRevision,
            LeaseID: Number.isSafeInteger(Number(lease)) ? Number(lease) : lease,
          },
        ]);
      }
      if (size > MAX_STRUCTURED_BYTES)
        throw new UserError(`more than ${MAX_STRUCTURED_BYTES / 1024 / 1024} MiB`, {
          hint: 'Name a longer prefix, or leave out -o: keys are printed as they arrive then.',
        });
    }
  } catch (error) {
    failed('Unable to list keys')(error);
  }
  if (options.output) await writeStructured(ctx, options.output, Object.fromEntries(pairs));
}
