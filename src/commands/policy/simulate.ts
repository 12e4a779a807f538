import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import type { Context } from '../../context.ts';
import { UsageError } from '../../errors.ts';
import { formatLabel } from '../../model/label.ts';
import { type Peer, Peers, parsePort } from '../../policy/evaluate/decide/peers.ts';
import { isOfAgent } from '../../policy/evaluate/decide/pods.ts';
import { balancedBy, decideNamed } from '../../policy/evaluate/decide/services.ts';
import { explain, remedies } from '../../policy/reports/explain.ts';
import { portText } from '../../policy/reports/replay.ts';
import { renderSimulation } from '../../render/policy/simulate.ts';

interface SimulateOptions extends StateFlags {
  rules: string[];
  from?: string;
  to?: string;
  port?: string;
  namespace: string;
  output: string;
}

/** Declares `policy simulate`. */
export function addPolicySimulateCommand(command: Command, ctx: Context): void {
  command

    .option(
      '--from <who>',
      'Source: labels (app=web), a pod (namespace/name), an identity number, an address or prefix, fqdn:NAME, or an entity',
    )
    .option('--to <who>', 'Destination, in the same forms')
    .option('-p, --port <port>', 'Destination port, PORT[/PROTOCOL] (8080, 53/UDP, 8/ICMP)');
  addRulesOption(command);
  addStateOptions(command, 'agent, unless there are --rules')
    .option(
      '-n, --namespace <name>',
      'Namespace for labels and Kubernetes objects that do not name one',
      'default',
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'cilium policy simulate --from default/web --to default/api --port 8080',
        'cilium policy simulate --rules policy.yaml --from app=web --to fqdn:api.example.com --port 443',
      ),
    )
    .action((options: SimulateOptions) => runPolicySimulate(options, ctx));
}

/** Loads rules and state, decides the connection, explains and prints. */
export async function runPolicySimulate(options: SimulateOptions, ctx: Context): Promise<void> {
  const { from, to, port } = options;
  if (from === undefined || to === undefined || port === undefined)
    throw new UsageError(`Missing --${from === undefined ? 'from' : to === undefined ? 'to' : 'port'}`, {
      hint: 'As in: cilium policy simulate --from shop/web --to app=api --port 8080/TCP',
    });
  const traffic = parsePort(port);
  const { engine, state } = await loadEngine(ctx, {
    ...options,
    state: options.state ?? (options.rules.length === 0 ? usualState(ctx) : undefined),
  });
  const peers = new Peers(engine, state, options.namespace);
  const source = peers.find(from);
  const destination = peers.find(to);
  const balanced = balancedBy(peers, destination, traffic);
  const decision = decideNamed(peers, [source, destination], traffic, balanced);
  const backends = decision.backends?.map(({ label, port: number, answer, ...both }) => ({
    name: label,
    port: portText(traffic.protocol, number),
    verdict: answer,
    egress: explain('egress', both.egress, source.label),
    ingress: explain('ingress', both.ingress, label),
  }));
  const simulation = {
    from: endOf(source),
    to: endOf(destination),
    port: portText(traffic.protocol, traffic.port),
    verdict: decision.answer,
    ...(decision.service !== undefined && { service: decision.service, backends }),
    egress: explain('egress', decision.egress, source.label),
    ingress: explain('ingress', decision.ingress, balanced?.targets[0]?.label ?? destination.label),
    changes: (balanced
      ? balanced.targets.map(({ identity, port: number }) => ({
          identity,
          at: { ...traffic, port: number },
        }))
      : [{ identity: destination.identity, at: traffic }]
    ).flatMap(({ identity, at }) => [
      ...remedies(engine, 'egress', source.identity, identity, at),
      ...remedies(engine, 'ingress', identity, source.identity, at),
    ]),
  };
  if (options.output) await writeStructured(ctx, options.output, simulation);
  else await ctx.out.write(renderSimulation(simulation));
}

function endOf({ identity, label }: Peer) {
  return {
    name: label,
    ...(isOfAgent(identity.id) && { identity: identity.id }),
    labels: identity.labels.map(formatLabel),
  };
}
