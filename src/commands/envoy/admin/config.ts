import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { askEnvoy } from './socket.ts';

/** Envoy's resource names by the words of the command line. */
const RESOURCES: Readonly<Record<string, string>> = {
  all: '',
  clusters: 'dynamic_active_clusters',
  endpoints: 'dynamic_endpoint_configs',
  listeners: 'dynamic_listeners',
  networkpolicies: 'networkpolicies',
  routes: 'dynamic_route_configs',
  secrets: 'dynamic_active_secrets',
};

/** Declares `envoy admin config`. */
export function addEnvoyConfigCommand(command: Command, ctx: Context): void {
  command
    .argument('[type]', Object.keys(RESOURCES).join(', '), 'all')
    .option('-n, --name <regex>', 'Only resources whose names match', '')
    .action((type: string, options: { name: string }) => {
      const resource = Object.hasOwn(RESOURCES, type) ? RESOURCES[type] : undefined;
      if (resource === undefined)
        throw new UserError(`Envoy has no resources of type "${type}"`, {
          hint: `Expected one of ${Object.keys(RESOURCES).join(', ')}.`,
        });
      const query = [
        'include_eds',
        ...(resource ? [`resource=${encodeURIComponent(resource)}`] : []),
        ...(options.name ? [`name_regex=${encodeURIComponent(options.name)}`] : []),
      ];
      return askEnvoy(ctx, command, `/config_dump?${query.join('&')}`);
    });
}
