import type { Command } from 'commander';
import { putRecorder, readRealizedRecorder } from '../../agent/decode/recorder.ts';
import { failed } from '../../cli/answer.ts';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';

interface RecorderUpdateOptions {
  id: number;
  caplen: number;
  filters: string[];
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP', 'ANY'] as const;

/** Declares `recorder update`. */
export function addRecorderUpdateCommand(command: Command, ctx: Context): void {
  command
    .addOption(integer('--id <number>', 'Identifier', { min: 0 }).default(0, ''))
    .addOption(integer('--caplen <bytes>', 'Capture Length (0 is full capture)', { min: 0 }).default(0, ''))
    .addOption(
      stringSlice(
        '--filters <filters>',
        "List of filters ('<srcCIDR> <srcPort> <dstCIDR> <dstPort> <proto>')",
      ),
    )
    .addHelpText(
      'after',
      examples("cilium recorder update --id 3 --caplen 128 --filters '10.0.0.0/8 0 192.0.2.1/32 443 TCP'"),
    )
    .action((options: RecorderUpdateOptions) => runRecorderUpdate(options, ctx));
}

async function runRecorderUpdate(options: RecorderUpdateOptions, ctx: Context): Promise<void> {
  const { id } = options;
  if (id === 0) throw new UsageError('Empty recorder id argument', { hint: 'Give it with --id.' });
  const filters = options.filters.map(parseFilter);
  const agent = await ctx.agent();
  const before = await readRealizedRecorder(agent, id).catch(failed(`Cannot update recorder ${id}`));
  await ctx.out.write(`${before ? 'Updating existing' : 'Creating new'} recorder with id '${id}'\n`);
  const spec = { ...before, id, 'capture-length': options.caplen, filters };
  await putRecorder(agent, id, spec).catch(
    writeFailed('Cannot add/update recorder', `cilium recorder get ${id}`),
  );
  await ctx.out.write(`${before ? 'Updated' : 'Added'} recorder with ${filters.length} filter\n`);
}

function parseFilter(text: string) {
  const [source, sourcePort, destination, destinationPort, word, ...more] = text.trim().split(/\s+/);
  const protocol = PROTOCOLS.find((known) => known === word?.toUpperCase());
  if (!source || !sourcePort || !destination || !destinationPort || !protocol || more.length > 0)
    throw new UserError(`Cannot parse filter: "${text}"`, {
      hint: 'Expected <srcCIDR> <srcPort> <dstCIDR> <dstPort> <proto>, as in "10.0.0.0/8 0 192.0.2.1/32 443 TCP".',
    });
  return {
    'src-prefix': source,
    'src-port': sourcePort,
    'dst-prefix': destination,
    'dst-port': destinationPort,
    protocol,
  };
}
