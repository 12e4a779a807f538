import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { ENVOY_RESOURCES } from '../../../model/envoy.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin config`. */
export function addEnvoyConfigCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium envoy admin config', "cilium envoy admin config listeners --name '.*ingress.*'"),
  );
  command
    .argument('[type]', Object.keys(ENVOY_RESOURCES).join(', '), 'all')
    .option('-n, --name <regex>', 'Only resources whose names match', '')
    .action((type: string, options: { name: string }) => {
      const resource = Object.hasOwn(ENVOY_RESOURCES, type) ? ENVOY_RESOURCES[type] : undefined;
      if (resource === undefined)
        throw new UserError(`Envoy has no resources of type "${type}"`, {
          hint: `Expected one of ${Object.keys(ENVOY_RESOURCES).join(', ')}.`,
        });
      const query = [
        'include_eds',
        ...(resource ? [`resource=${encodeURIComponent(resource)}`] : []),
        ...(options.name ? [`name_regex=${encodeURIComponent(options.name)}`] : []),
      ];
      return askEnvoy(ctx, command, `/config_dump?${query.join('&')}`);
    });
}
