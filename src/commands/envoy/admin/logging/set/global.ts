import type { Command } from 'commander';
import { examples, requiredArgument } from '../../../../../cli/flags.ts';
import { writeFailed } from '../../../../../cli/writes.ts';
import type { Context } from '../../../../../context.ts';
import { ENVOY_LEVELS } from '../../../../../model/envoy.ts';
import { askEnvoy } from '../../socket.ts';
import { CHECK, knownLevel } from './level.ts';

/** Declares `envoy admin logging set global`. */
export function addEnvoyLoggingGlobalCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium envoy admin logging set global debug'));
  command.argument('[level]', ENVOY_LEVELS.join(', ')).action((argument: string | undefined) => {
    const level = knownLevel(requiredArgument(command, argument, 'level'));
    return askEnvoy(ctx, command, `/logging?level=${level}`, 'POST').catch(
      writeFailed('Cannot change the log level', CHECK),
    );
  });
}
