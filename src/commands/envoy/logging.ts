import type { Command } from 'commander';
import { requiredArgument } from '../../cli/output.ts';
import { writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { askEnvoy } from './socket.ts';

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'];
const CHECK = 'cilium envoy admin logging list';

/** Declares `envoy admin logging list`. */
export function addEnvoyLoggingListCommand(command: Command, ctx: Context): void {
  command.action(() => askEnvoy(ctx, command, '/logging', 'POST'));
}

/** Declares `envoy admin logging set global`. */
export function addEnvoyLoggingGlobalCommand(command: Command, ctx: Context): void {
  command.argument('[level]', LEVELS.join(', ')).action((argument: string | undefined) => {
    const level = knownLevel(requiredArgument(command, argument, 'level'));
    return askEnvoy(ctx, command, `/logging?level=${level}`, 'POST').catch(
      writeFailed('Cannot change the log level', CHECK),
    );
  });
}

/** Declares `envoy admin logging set loggers`. */
export function addEnvoyLoggingLoggersCommand(command: Command, ctx: Context): void {
  command.argument('[changes...]', 'name=level, such as http=debug').action((changes: string[]) => {
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
