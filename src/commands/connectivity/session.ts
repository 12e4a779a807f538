import { loadCatalogue } from '../../cluster/connectivity/catalogue.ts';
import { type External, externalFilling, externalOf } from '../../cluster/connectivity/external.ts';
import { type Features, featuresOf } from '../../cluster/connectivity/features.ts';
import {
  type DeployPlan,
  type Filling,
  loadTestPolicies,
  testObjects,
} from '../../cluster/connectivity/objects.ts';
import { Actions } from '../../cluster/connectivity/plan.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { AgentPod } from '../../kube/agents.ts';
import type { KubeClient } from '../../kube/client.ts';
import { configMapPath } from '../../kube/config-map.ts';
import { ExecNotStarted, exec } from '../../kube/exec.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { agentVersion } from '../../kube/release.ts';
import { parseRelease } from '../../model/release.ts';
import { applyAll, untilReady } from './deploy.ts';
import { EvidenceReader } from './evidence.ts';
import { ownHolder } from './holder.ts';
import { claimNamespace, clusterName, removeExpired } from './namespace.ts';
import { type Candidate, listCandidates, pickNodes } from './nodes.ts';
import type { ConnectivityTestOptions } from './options.ts';
import { Runner } from './runner.ts';
import { domainOf, readWorld } from './world.ts';

type Say = (text: string) => Promise<void>;

/** Longer than any run of the set; a run of the catalogue has longer. */
const EXPIRES_MS = { set: 15 * 60_000, all: 60 * 60_000, kept: 7 * 24 * 3_600_000 };

interface Parts {
  cilium: string;
  features: Features;
  version: string | undefined;
  nodes: Candidate[];
  picked: { first: Candidate; second?: Candidate };
}

/** A run of the tests: what it found in the cluster, and what it deploys there. */
export class Session {
  /** From the first object on that was applied. */
  isOwner = false;
  #runner: Runner | undefined;

  private constructor(
    readonly client: KubeClient,
    readonly namespace: string,
    readonly external: External,
    private readonly parts: Parts,
    private readonly options: ConnectivityTestOptions,
    private readonly ctx: Context,
  ) {}

  /** Looks at the cluster, and changes nothing. */
  static async open(
    client: KubeClient,
    namespace: string,
    options: ConnectivityTestOptions,
    ctx: Context,
  ): Promise<Session> {
    const external = externalOf(options);
    const cilium = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
    const { tolerations, nodeSelector: selector, singleNode = false } = options;
    const { nodes, withoutCilium } = await listCandidates(client, {
      namespace: cilium,
      selector,
      tolerations,
    });
    const picked = pickNodes(nodes, { single: singleNode });
    const path = configMapPath(cilium);
    const { data = {} } = await client.json<{ data?: Record<string, string> }>({ path });
    const features = featuresOf(data, { nodesWithoutCilium: withoutCilium });
    const version = await agentVersion(client, cilium);
    const parts = { cilium, features, version, nodes, picked };
    return new Session(client, namespace, external, parts, options, ctx);
  }

  get features(): Features {
    return this.parts.features;
  }

  get version(): string | undefined {
    return this.parts.version;
  }

  get nodeCount(): number {
    return this.parts.picked.second ? 2 : 1;
  }

  /** Agents that run, of all nodes. */
  get agents(): AgentPod[] {
    return this.parts.nodes.flatMap(({ agent }) => agent ?? []);
  }

  get runner(): Runner {
    if (!this.#runner) throw new Error('nothing is deployed yet');
    return this.#runner;
  }

  #deployPlan(): DeployPlan {
    const { options, parts } = this;
    const { picked } = parts;
    const keptMs = options.keep ? EXPIRES_MS.kept : options.all ? EXPIRES_MS.all : EXPIRES_MS.set;
    return {
      namespace: this.namespace,
      expires: new Date(this.ctx.clock.nowMs() + keptMs).toISOString(),
      isKept: options.keep === true,
      holder: ownHolder(),
      images: { client: options.image ?? options.curlImage, echo: options.image ?? options.jsonMockImage },
      isOneImage: options.image !== undefined,
      serviceType: options.serviceType,
      nodes: { first: picked.first.hostname, ...(picked.second && { second: picked.second.hostname }) },
      tolerations: options.tolerations,
      namespaceLabels: Object.fromEntries(
        options.namespaceLabels.map((text) => [text.replace(/=.*/, ''), text.replace(/^[^=]*=?/, '')]),
      ),
    };
  }

  /** What would be deployed, a line each. */
  async plan(): Promise<string> {
    const objects = testObjects(this.#deployPlan()).map(
      ({ kind, metadata }) =>
        `Would apply ${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}.\n`,
    );
    const count = this.options.all ? (await loadCatalogue()).length : 15;
    return `${objects.join('')}Would run ${this.options.all ? `what can be run of ${count} tests` : `${count} checks`}, and remove all of it again.\n`;
  }

  /** Deploys what the tests need, and waits for it. */
  async deploy(say: Say): Promise<void> {
    const { client, namespace, options, ctx } = this;
    await claimNamespace(client, namespace, { isForced: options.forceDeploy === true }, say, ctx);
    await removeExpired(client, namespace, say, ctx);
    const plan = this.#deployPlan();
    const cluster = clusterName(client);
    this.isOwner = true;
    const deployments = await applyAll(client, testObjects(plan), cluster, say);
    for (const name of deployments)
      await say(`⌛ [${cluster}] Waiting for deployment ${namespace}/${name} to become ready...\n`);
    await untilReady(ctx, namespace, deployments, options.deployTimeout);
    this.#runner = await this.#makeRunner(plan);
  }

  async #makeRunner(plan: DeployPlan): Promise<Runner> {
    const { client, namespace, options, parts, ctx } = this;
    const { picked } = parts;
    const nodes = [picked.first, ...(picked.second ? [picked.second] : [])];
    const families = options.ipFamilies.length === 0 ? [4, 6] : options.ipFamilies.map(familyOf);
    const world = await readWorld(client, {
      namespace,
      nodes,
      external: this.external,
      families: families as (4 | 6)[],
    });
    const domain = domainOf(await this.#probe(world.pods.find(({ name }) => name === 'client')));
    const actions = new Actions(
      { ...world, domain },
      { connectSeconds: options.connectTimeout / 1000, maxSeconds: options.requestTimeout / 1000 },
    );
    const [service] = world.services;
    const filling: Filling = {
      namespace,
      ...(service && { 'echo-name': actions.nameOf(service) }),
      ...externalFilling(this.external),
    };
    const agents = new Map(this.agents.map((agent) => [agent.node, agent]));
    return new Runner(
      {
        client,
        actions,
        evidence: new EvidenceReader(client, agents, ctx),
        policies: await loadTestPolicies(),
        filling,
        namespace,
        expires: plan.expires,
        release: parts.version === undefined ? undefined : parseRelease(parts.version),
        selector: `kubernetes.io/hostname in (${nodes.map(({ hostname }) => hostname).join(',')})`,
        actionMs: options.requestTimeout,
        flows: options.flowValidation,
      },
      ctx,
    );
  }

  /** Finds out whether commands can be run in the pods at all. Returns how names are looked up there. */
  async #probe(pod: { namespace: string; pod: string; container: string } | undefined): Promise<string> {
    if (!pod)
      throw new UserError('the pod of the client has no address, though it is ready: pods do not run here');
    const { namespace, pod: name, container } = pod;
    const target = { namespace, pod: name, container };
    try {
      await exec(this.client, { ...target, command: ['curl', '--version'] });
    } catch (error) {
      if (!(error instanceof ExecNotStarted)) throw error;
      throw new UserError(`no curl can be run in the pod ${namespace}/${name}: ${error.message}`, {
        hint: 'Either the image has none (another one: --image), or pods do not really run in this cluster.',
        cause: error,
      });
    }
    try {
      const { stdout } = await exec(this.client, { ...target, command: ['cat', '/etc/resolv.conf'] }, 65_536);
      return stdout.toString('utf8');
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      if (error instanceof UserError) return '';
      throw error;
    }
  }
}

function familyOf(text: string): number {
  if (text === 'ipv4') return 4;
  if (text === 'ipv6') return 6;
  throw new UserError(`--ip-families ${text}: expected ipv4 or ipv6`);
}
