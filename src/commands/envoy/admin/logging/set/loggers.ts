import type { Command } from 'commander';
import { examples } from '../../../../../cli/flags.ts';
import { writeFailed } from '../../../../../cli/writes.ts';
import type { Context } from '../../../../../context.ts';
import { UsageError, UserError } from '../../../../../errors.ts';
import { askEnvoy } from '../../socket.ts';
import { CHECK, knownLevel } from './level.ts';

/** Declares `envoy admin logging set loggers`. */
export function addEnvoyLoggingLoggersCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium envoy admin logging set loggers http=debug upstream=trace'));
  command.argument('[changes...]', 'name=level, such as http=debug').action((changes: string[]) => {
    if (changes.length === 0)
      throw new UsageError('Missing logger', { hint: 'Expected name=level, such as http=debug.' });
    const paths = changes.map((change) => {
      const [, name, level] = /^([^=:,]+)=(.+)$/.exec(change) ?? [];
      if (!name || !level)
        throw new UserError(`"${change}" is not name=level`, {
          hint: 'Expected a logger and a level, such as http=debug.',
        });
      return `${encodeURIComponent(name)}:${knownLevel(level)}`;
    });
    return askEnvoy(ctx, command, `/logging?paths=${paths.join(',')}`, 'POST').catch(
      writeFailed('Cannot change log levels', CHECK),
    );
  });
}
