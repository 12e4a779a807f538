import { type Command, Option } from 'commander';
import { ApiError } from '../../agent/client.ts';
import { putService, readRealizedService } from '../../agent/decode/services.ts';
import { failed } from '../../cli/answer.ts';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import { readStdin } from '../../cli/stdin.ts';
import { addWaitOptions, readBack, type WaitFlags, writeFailed } from '../../cli/writes.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { splitHostPort } from '../../lib/address.ts';
import { atLeast } from '../../model/release.ts';
import { parseBackendAddress, parseFrontendAddress, protocolName, type ServiceProtocol } from './address.ts';
import { announceTextIds } from './argument.ts';

interface ServiceUpdateOptions extends WaitFlags {
  id: number;
  k8sExternal?: boolean;
  k8sNodePort?: boolean;
  k8sLoadBalancer?: boolean;
  k8sHostPort?: boolean;
  localRedirect?: boolean;
  k8sExtTrafficPolicy: string;
  k8sIntTrafficPolicy: string;
  k8sTrafficPolicy: string;
  k8sClusterInternal?: boolean;
  frontend: string;
  protocol?: ServiceProtocol;
  backends: string[];
  states: string[];
  backendWeights: string[];
}

const STATES = ['active', 'terminating', 'terminating-not-serving', 'quarantined', 'maintenance'] as const;

const TYPES = ['ExternalIPs', 'NodePort', 'LoadBalancer', 'HostPort', 'LocalRedirect'] as const;

/** Declares `service update`. */
export function addServiceUpdateCommand(command: Command, ctx: Context): void {
  command
    .addOption(integer('--id <number>', 'Identifier', { min: 0 }).default(0, ''))
    .option('--frontend <address>', 'Frontend address', '')
    .addOption(
      new Option('--protocol <name>', 'Protocol of the service and its backends: tcp, udp or any').argParser(
        protocolName,
      ),
    )
    .addOption(stringSlice('--backends <addresses>', 'Backend address or addresses (<IP:Port>)'))
    .addOption(stringSlice('--states <states>', `Backend state(s): ${STATES.join(', ')}`))
    .addOption(
      stringSlice('--backend-weights <weights>', 'Backend weights (100 default, 0 means maintenance)'),
    )
    .option('--k8s-external', 'Set service as a k8s ExternalIPs')
    .option('--k8s-node-port', 'Set service as a k8s NodePort')
    .option('--k8s-load-balancer', 'Set service as a k8s LoadBalancer')
    .option('--k8s-host-port', 'Set service as a k8s HostPort')
    .option('--local-redirect', 'Set service as Local Redirect')
    .option('--k8s-ext-traffic-policy <policy>', 'External traffic policy: Local or Cluster', 'Cluster')
    .option('--k8s-int-traffic-policy <policy>', 'Internal traffic policy: Local or Cluster', 'Cluster')
    .addOption(
      new Option('--k8s-traffic-policy <policy>', 'Same as --k8s-ext-traffic-policy, as Cilium 1.9 names it')
        .default('', '')
        .hideHelp(),
    )
    .option('--k8s-cluster-internal', 'Set service as cluster-internal')
    .addHelpText(
      'after',
      examples(
        'cilium service update --id 7 --frontend 10.96.0.10:80 --backends 10.0.0.5:8080,10.0.0.6:8080',
      ),
    )
    .action((options: ServiceUpdateOptions) => runServiceUpdate(options, ctx));
  addWaitOptions(command, 'the agent has realized the service');
}

async function runServiceUpdate(options: ServiceUpdateOptions, ctx: Context): Promise<void> {
  const { id, flags } = validate(options);
  await announceTextIds(ctx);
  if (options.frontend === '' && options.backends.length > 0) return updateStates(options, ctx);
  const address = options.frontend === '' ? undefined : await frontendOf(options, ctx);
  const agent = await ctx.agent();
  const before = await readRealizedService(agent, id).catch(failed(`Cannot update service ${id}`));
  await ctx.out.write(
    before ? `Updating existing service with id '${id}'\n` : `Creating new service with id '${id}'\n`,
  );
  const texts = options.backends.length > 0 ? options.backends : await readBackends(ctx);
  const frontend = address ?? parseFrontendAddress('');
  const backends = texts.map((text, i) => backendOf(text, i, texts.length, options));
  if (frontend.port === 0 && backends.some((backend) => backend.port)) throw portless();
  const spec = {
    ...before?.spec,
    id,
    'frontend-address': { ...frontend, scope: options.k8sClusterInternal ? 'internal' : 'external' },
    'backend-addresses': backends,
    flags: { ...before?.flags, ...flags },
  };
  const outcome = await putService(agent, id, spec).catch(
    id === 0 ? withoutId : writeFailed('Cannot add/update service', `cilium service get ${id}`),
  );
  await ctx.out.write(
    `${outcome === 'added' ? 'Added' : 'Updated'} service with ${backends.length} backends\n`,
  );
  await readBack(ctx, options, `service ${id} with its ${backends.length} backends`, async () => {
    const now = await readRealizedService(agent, id);
    return now?.backends === backends.length;
  });
}

/** A frontend that is wrong is refused before anything is said of the service. */
async function frontendOf(
  options: ServiceUpdateOptions,
  ctx: Context,
): Promise<ReturnType<typeof parseFrontendAddress>> {
  const parsed = parseFrontendAddress(options.frontend);
  const protocol = parsed.protocol ?? options.protocol;
  const frontend = { ...parsed, ...(protocol && { protocol }) };
  if (frontend.port === 0 && options.backends.some((text) => splitHostPort(text)?.port)) throw portless();
  if (frontend.protocol === undefined) return frontend;
  const release = await releaseOfAgent(ctx);
  if (release !== undefined && !atLeast(release, '1.17'))
    throw new UserError(
      `Cannot update service: services of Cilium ${release} have no protocol, but "${protocol}" is named`,
      { hint: 'Expected --frontend IP:PORT, as in 10.96.0.10:80 or [fd00::10]:80.' },
    );
  return frontend;
}

/** Agents refuse the number 0, which stands for none. */
function withoutId(error: unknown): never {
  if (!(error instanceof ApiError)) return failed('Cannot add/update service')(error);
  throw new UserError(`Cannot add/update service: ${error.message}`, {
    cause: error,
    hint: 'Give the number of the service with --id.',
  });
}

function portless(): UserError {
  return new UserError('Cannot update service: backends have a port and the frontend has none');
}

/** Without a frontend the states of backends change, in every service that has them. */
async function updateStates(options: ServiceUpdateOptions, ctx: Context): Promise<void> {
  if (options.states.length === 0) throw new UserError('Cannot update empty backend states');
  const agent = await ctx.agent();
  const backends = options.backends.map((text, i) => backendOf(text, i, options.backends.length, options));
  await ctx.out.write('Updating backend states \n');
  const change = { id: options.id, updateServices: true, 'backend-addresses': backends };
  await putService(agent, options.id, change).catch(
    writeFailed('Cannot add/update service', 'cilium service list'),
  );
  await ctx.out.write(`Updated service with ${backends.length} backends\n`);
}

function validate(options: ServiceUpdateOptions): { id: number; flags: Record<string, string> } {
  const given = {
    ExternalIPs: options.k8sExternal,
    NodePort: options.k8sNodePort,
    LoadBalancer: options.k8sLoadBalancer,
    HostPort: options.k8sHostPort,
    LocalRedirect: options.localRedirect,
  };
  const types = TYPES.filter((type) => given[type]);
  if (types.length > 1)
    throw new UserError(
      'Can only set one of --k8s-external, --k8s-node-port, --k8s-load-balancer, --k8s-host-port, --local-redirect for a service',
    );
  const policy = (flag: string, text: string) => {
    const word = text.toLowerCase();
    if (word !== 'local' && word !== 'cluster')
      throw new UserError(`--${flag}: "${text}" is not a traffic policy`, {
        hint: 'Expected Local or Cluster.',
      });
    return word === 'local' ? 'Local' : 'Cluster';
  };
  const ext = policy('k8s-ext-traffic-policy', options.k8sTrafficPolicy || options.k8sExtTrafficPolicy);
  return {
    id: options.id,
    flags: {
      type: types[0] ?? 'ClusterIP',
      trafficPolicy: ext,
      extTrafficPolicy: ext,
      intTrafficPolicy: policy('k8s-int-traffic-policy', options.k8sIntTrafficPolicy),
    },
  };
}

async function readBackends(ctx: Context): Promise<string[]> {
  await ctx.out.write('Reading backend list from stdin...\n');
  return (await readStdin(ctx))
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function backendOf(text: string, i: number, count: number, options: ServiceUpdateOptions) {
  const { states, backendWeights: weights } = options;
  if (states.length > 1 && states.length !== count)
    throw new UserError(`Invalid number of backend states (${states.length}) for ${count} backends`);
  const word = states[i] ?? states[0] ?? 'active';
  const state = STATES.find((known) => known === word);
  if (!state)
    throw new UserError(`Invalid backend state (${word}) for backend (${text})`, {
      hint: `Expected one of ${STATES.join(', ')}.`,
    });
  if (weights.length > 0 && weights.length !== count)
    throw new UserError('Mismatch between number of backend weights and number of backends');
  const weight = weights[i];
  if (weight !== undefined && !(/^\d+$/.test(weight) && Number(weight) <= 0xffff))
    throw new UserError(`Invalid backend weight (${weight})`, { hint: 'Expected a number from 0 to 65535.' });
  return {
    ...parseBackendAddress(text),
    ...(options.protocol && { protocol: options.protocol }),
    state,
    ...(weight !== undefined && { weight: Number(weight) }),
  };
}
