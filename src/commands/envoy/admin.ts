import { type Command, Option } from 'commander';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { askEnvoy } from './socket.ts';

/** What may be asked of the configuration, by the words of the command line. */
const RESOURCES: Readonly<Record<string, string>> = {
  all: '',
  clusters: 'dynamic_active_clusters',
  endpoints: 'dynamic_endpoint_configs',
  listeners: 'dynamic_listeners',
  networkpolicies: 'networkpolicies',
  routes: 'dynamic_route_configs',
  secrets: 'dynamic_active_secrets',
};

/** Declares `envoy admin certs`. */
export function addEnvoyCertsCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('certs')
    .description('List Envoy certificates')
    .action((_, command: Command) => askEnvoy(ctx, command, '/certs'));
}

/** Declares `envoy admin clusters`. */
export function addEnvoyClustersCommand(parent: Command, ctx: Context): Command {
  return listing(parent, ctx, 'clusters', 'List Envoy clusters');
}

/** Declares `envoy admin listeners`. */
export function addEnvoyListenersCommand(parent: Command, ctx: Context): Command {
  return listing(parent, ctx, 'listeners', 'List Envoy listeners');
}

function listing(parent: Command, ctx: Context, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(new Option('-o, --output <format>', 'json| text').choices(['json', 'text']).default('text'))
    .action((options: { output: string }, command: Command) =>
      askEnvoy(ctx, command, `/${name}?format=${options.output}`),
    );
}

/** Declares `envoy admin config`. */
export function addEnvoyConfigCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('config')
    .description('View config dump of Envoy Proxy')
    .argument('[type]', Object.keys(RESOURCES).join(', '), 'all')
    .option('-n, --name <regex>', 'Only resources whose name matches', '')
    .action((type: string, options: { name: string }, command: Command) => {
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

/** Declares `envoy admin metrics`. */
export function addEnvoyMetricsCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('metrics')
    .description('View metrics of Envoy Proxy')
    .option('-f, --filter <regex>', 'Only metrics whose name matches', '')
    .action((options: { filter: string }, command: Command) =>
      askEnvoy(
        ctx,
        command,
        `/stats/prometheus${options.filter && `?filter=${encodeURIComponent(options.filter)}`}`,
      ),
    );
}

/** Declares `envoy admin serverinfo`. */
export function addEnvoyServerInfoCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('serverinfo')
    .description('View server info of Envoy Proxy')
    .action((_, command: Command) => askEnvoy(ctx, command, '/server_info'));
}
