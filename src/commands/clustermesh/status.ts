import { lookup } from 'node:dns/promises';
import { type Command, Option } from 'commander';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import { unable } from '../../cli/kube/unable.ts';
import { type Access, accessOf } from '../../cluster/clustermesh/access.ts';
import type { Connectivity } from '../../cluster/clustermesh/connectivity.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { MESH, meshCa, meshConfig, meshDeployment, meshNodes, meshService } from '../../kube/clustermesh.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { openCluster } from '../../kube/road.ts';
import { connectivityLines, type MeshStatus, meshStatusJson } from '../../render/cluster/clustermesh.ts';
import { agentConnectivity, NoKvstoremeshStatus, replicaConnectivity } from './connections.ts';
import { Deadline, persist } from './wait.ts';

interface StatusFlags {
  wait?: boolean;
  waitDuration: number;
  output: 'summary' | 'json';
  compatExit?: boolean;
}

/** Declares `clustermesh status`. */
export function addClustermeshStatusCommand(command: Command, ctx: Context): void {
  command
    .option('--wait', 'Wait until all nodes are connected to all clusters')
    .addOption(durationOption('--wait-duration <duration>', 'Maximum time to wait').default(900_000, '15m0s'))
    .addOption(
      new Option('-o, --output <format>', 'Output format: summary, or json')
        .choices(['summary', 'json'])
        .default('summary'),
    )
    .option('--compat-exit', 'Exit with 0 although nodes are not connected, as cilium-cli does')
    .addHelpText(
      'after',
      examples(
        'cilium clustermesh status',
        'cilium clustermesh status --wait --wait-duration 5m --context cluster1',
        'cilium clustermesh status -o json | jq .connectivity.clusters',
      ),
    )
    .action((flags: StatusFlags) => runClustermeshStatus(flags, ctx));
}

/** Prints how a cluster is reached by others, and how its nodes are connected to them. */
export async function runClustermeshStatus(flags: StatusFlags, ctx: Context): Promise<void> {
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  // Two blanks, as the reference writes them.
  await new Look(ctx, client, namespace, flags).run().catch(unable('Unable to determine status', ':  '));
}

/** One look at a mesh. What it meets is told line by line; with JSON on stderr. */
class Look {
  readonly #deadline: Deadline | undefined;

  constructor(
    private readonly ctx: Context,
    private readonly client: KubeClient,
    private readonly namespace: string,
    private readonly flags: StatusFlags,
  ) {
    this.#deadline = flags.wait ? new Deadline(ctx, flags.waitDuration) : undefined;
  }

  #log = (line: string): Promise<void> =>
    (this.flags.output === 'json' ? this.ctx.err : this.ctx.out).write(`${line}\n`);

  async run(): Promise<void> {
    const { client, namespace, flags, ctx } = this;
    const config = await meshConfig(client, namespace);
    const { 'cluster-id': id = '0', 'cluster-name': name = 'default' } = config;
    if (id === '0' || id === '' || name === 'default' || name === '')
      await this.#log(
        "⚠️  Cluster not configured for clustermesh, use '--set cluster.id' and '--set cluster.name' with 'cilium install'.",
      );
    const status: MeshStatus = {
      access: undefined,
      agents: undefined,
      kvstoremesh: { isEnabled: false, replicas: undefined },
    };
    if (config['identity-allocation-mode'] !== 'crd')
      await this.#log('✅ Cilium is configured with an external kvstore');
    else await this.#ownServer(status);
    const failure = await this.#connectivity(status, name).then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        return error;
      },
    );
    if (flags.output === 'json') await ctx.out.write(meshStatusJson(status));
    else if (status.agents)
      for (const line of connectivityLines(status.agents, status.kvstoremesh, namespace))
        await this.#log(line);
    if (failure) throw failure;
    if (!flags.compatExit) ctx.exitCode = exitCodeOf(status);
  }

  /** The server that others connect to, and how it is reached. */
  async #ownServer(status: MeshStatus): Promise<void> {
    const access = await persist(
      () => this.#access(),
      this.#deadline,
      (elapsed, why) => this.#log(`⌛ Waiting (${elapsed}) for access information: ${why}`),
    );
    status.access = access;
    await this.#log(`✅ Service "${MESH.service}" of type "${access.serviceType}" found`);
    await this.#log('✅ Cluster access information is available:');
    for (const ip of access.ips) await this.#log(`  - ${ip}:${access.port}`);
    const { hasKvstoremesh } = await persist(
      async () => {
        const found = await meshDeployment(this.client, this.namespace);
        if (found.trouble !== undefined) throw new UserError(found.trouble);
        return found;
      },
      this.#deadline,
      (elapsed, why) =>
        this.#log(`⌛ Waiting (${elapsed}) for deployment ${MESH.deployment} to become ready: ${why}`),
    ).catch(unable(`deployment ${MESH.deployment} is not ready`));
    await this.#log(`✅ Deployment ${MESH.deployment} is ready`);
    status.kvstoremesh.isEnabled = hasKvstoremesh;
    await this.#log(`ℹ️  KVStoreMesh is ${hasKvstoremesh ? 'enabled' : 'disabled'}`);
  }

  async #access(): Promise<Access> {
    const { client, namespace } = this;
    const config = await meshConfig(client, namespace);
    const service = await meshService(client, namespace);
    const ca = await meshCa(client, namespace, this.#log);
    return accessOf({ config, service, ca, nodes: () => meshNodes(client) }, [], {
      log: this.#log,
      resolve: (host) => addressesOf(client, host),
    });
  }

  /** Fills in what is known, also where it throws. */
  async #connectivity(status: MeshStatus, ownName: string): Promise<void> {
    const { kvstoremesh } = status;
    let [asksAgents, asksReplicas] = [true, kvstoremesh.isEnabled];
    await persist(
      async () => {
        if (asksAgents)
          status.agents = await agentConnectivity(
            this.client,
            this.namespace,
            ownName,
            this.flags.waitDuration,
            this.ctx,
          );
        if (asksReplicas) kvstoremesh.replicas = await this.#replicas(ownName);
        if (!this.#deadline) return;
        const [nodes, replicas] = [status.agents?.notReady ?? 0, kvstoremesh.replicas?.notReady ?? 0];
        asksAgents &&= nodes > 0;
        asksReplicas &&= replicas > 0;
        // That of KVStoreMesh is the cause of the other more often than not.
        if (replicas > 0) throw new UserError(`${replicas} KVStoreMesh replicas are not ready`);
        if (nodes > 0) throw new UserError(`${nodes} nodes are not ready`);
      },
      this.#deadline,
      (elapsed, why) => this.#log(`⌛ Waiting (${elapsed}) for clusters to be connected: ${why}`),
    );
  }

  async #replicas(ownName: string): Promise<Connectivity | undefined> {
    try {
      return await replicaConnectivity(this.client, this.namespace, ownName);
    } catch (error) {
      if (!(error instanceof NoKvstoremeshStatus)) throw error;
      await this.#log('⚠️  KVStoreMesh status retrieval is not supported by this Cilium version');
      return undefined;
    }
  }
}

/** The addresses of a name now; what they were when an archive was made is not known. */
async function addressesOf({ recorded }: KubeClient, host: string): Promise<string[]> {
  if (recorded) throw new UserError(`${recorded.label} does not hold the addresses of ${host}`);
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** 1 when somebody is not connected, 3 when all who answered are and some did not. */
function exitCodeOf({ agents, kvstoremesh }: MeshStatus): number {
  const all = [agents, kvstoremesh.replicas].filter((one) => one !== undefined);
  if (all.some(({ faults }) => faults.size > 0)) return 1;
  if (all.some(({ silent, total }) => silent.size > 0 && silent.size === total)) return 1;
  return all.some(({ silent }) => silent.size > 0) ? PARTIAL : 0;
}
