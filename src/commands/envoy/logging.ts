import type { Command } from 'commander';
import { requiredArgument } from '../../cli/output.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { askEnvoy } from './socket.ts';

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];
const CHECK = 'cilium envoy admin logging list';

/** Declares `envoy admin logging list`. */
export function addEnvoyLoggingListCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('list')
    .description('List the log level of every logger')
    .action((_, command: Command) => askEnvoy(ctx, command, '/logging', 'POST'));
}

/** Declares `envoy admin logging set global`. */
export function addEnvoyLoggingGlobalCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('global')
    .description('Change the log level of all loggers')
    .argument('[level]', LEVELS.join(', '))
    .action((argument: string | undefined, _, command: Command) => {
      const level = knownLevel(requiredArgument(command, argument, 'level'));
      return askEnvoy(ctx, command, `/logging?level=${level}`, 'POST').catch(
        writeFailed('Cannot change the log level', CHECK),
      );
    });
}

/** Declares `envoy admin logging set loggers`. */
export function addEnvoyLoggingLoggersCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('loggers')
    .description('Change the log level of some loggers')
    .argument('[changes...]', 'name=level, such as http=debug')
    .action((changes: string[], _, command: Command) => {
      if (changes.length === 0)
        throw new UsageError('Missing logger', { hint: 'Expected name=level, such as http=debug.' });
      const paths = changes.map((change) => {
        const [, name, level] = /^([^=:,]+)=(.+)$/.exec(change) ?? [];
        if (!name || !level)
          throw new UserError(`"${change}" is no change of a logger`, { hint: 'Expected name=level.' });
        return `${encodeURIComponent(name)}:${knownLevel(level)}`;
      });
      return askEnvoy(ctx, command, `/logging?paths=${paths.join(',')}`, 'POST').catch(
        writeFailed('Cannot change log levels', CHECK),
      );
    });
}

function knownLevel(level: string): string {
  if (LEVELS.includes(level)) return level;
  throw new UserError(`"${level}" is no log level of Envoy`, {
    hint: `Expected one of ${LEVELS.join(', ')}.`,
  });
}
