import type { PolicyFile } from '../../cli/policy/files.ts';
import { loadEngine } from '../../cli/policy/inputs.ts';
import { loadFacts, minorOf } from '../../cluster/config/facts.ts';
import { givenOfKeys } from '../../cluster/config/given.ts';
import { lintConfig } from '../../cluster/config/lint-documents.ts';
import { lintKeys } from '../../cluster/config/lint-keys.ts';
import {
  type CheckRow,
  checkAgents,
  checkDecisions,
  checkDefinitions,
  checkKernels,
  checkOwner,
  checkPods,
  checkPolicies,
  checkSettings,
  checkVersions,
  type Definition,
  notKnown,
} from '../../cluster/preflight/checks.ts';
import { GONE_KINDS } from '../../cluster/preflight/facts.ts';
import { unmanagedPods } from '../../cluster/unmanaged.ts';
import { type RunningPod, runningImages, unlikeChart } from '../../cluster/versions.ts';
import type { Context } from '../../context.ts';
import { listAgents } from '../../kube/agents.ts';
import type { KubeClient, KubeObject } from '../../kube/client.ts';
import { readConfigMap } from '../../kube/config-map.ts';
import { listAll } from '../../kube/pages.ts';
import { pathIn } from '../../kube/paths.ts';
import { type Pod, podsPath } from '../../kube/pods.ts';
import { countObjects, listDefinitions, listKernels } from '../../kube/preflight.ts';
import { findRelease, type HelmRelease, ownersOf } from '../../kube/release.ts';
import { findPolicies } from '../../kube/remove.ts';
import { listComponentPods, listEndpointNames, listNetworkPods } from '../../kube/workloads.ts';
import { once } from '../../lib/once.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { compareByRelease } from '../../policy/reports/between-releases.ts';

/** What is upgraded, and to what. */
interface Upgrade {
  client: KubeClient;
  namespace: string;
  /** Undefined where the image does not tell it. */
  from: Release | undefined;
  to: Release;
  /** Helm values of the upgrade, where some were given. */
  files: readonly PolicyFile[];
  ctx: Context;
}

/** The looks at a cluster before an upgrade. Each may fail without the others. */
export class Looks {
  readonly #release: () => Promise<HelmRelease | undefined>;

  constructor(private readonly upgrade: Upgrade) {
    const { client, namespace } = upgrade;
    this.#release = once(() => findRelease(client, namespace, 'cilium'));
  }

  all(): [check: string, look: () => Promise<CheckRow[]>][] {
    return [
      ['owner', () => this.#owner()],
      ['values', () => this.#values()],
      ['config', () => this.#config()],
      ['definitions', () => this.#definitions()],
      ['policies', () => this.#policies()],
      ['decisions', () => this.#decisions()],
      ['kernel', async () => checkKernels(await listKernels(this.upgrade.client), this.upgrade.to)],
      ['agents', () => this.#agents()],
      ['versions', () => this.#versions()],
      ['pods', () => this.#pods()],
    ];
  }

  async #owner(): Promise<CheckRow[]> {
    const { client, namespace } = this.upgrade;
    const path = pathIn(namespace, 'apps/v1/daemonsets');
    const owners = await listAll<KubeObject, ReturnType<typeof ownersOf>>(
      client,
      path,
      { labelSelector: 'k8s-app=cilium' },
      ownersOf,
    );
    return checkOwner(owners.flat());
  }

  async #values(): Promise<CheckRow[]> {
    const { files, to } = this.upgrade;
    const facts = await loadFacts();
    const given = files.length > 0 ? files : await this.#valuesOfRelease();
    if (!given)
      return [notKnown('values', 'Helm keeps no release in the cluster: name the values with --values')];
    const { findings } = await lintConfig(given, [], facts, minorOf(to));
    const named = given.map(({ file }) => file).join(', ');
    return checkSettings('values', findings, named, { isWritten: false });
  }

  async #valuesOfRelease(): Promise<PolicyFile[] | undefined> {
    const release = await this.#release();
    if (!release) return undefined;
    return [{ file: `release/${release.name}`, text: JSON.stringify(release.values) }];
  }

  async #config(): Promise<CheckRow[]> {
    const { client, namespace, to } = this.upgrade;
    const [facts, { data }, release] = await Promise.all([
      loadFacts(),
      readConfigMap(client, namespace),
      this.#release().catch(() => undefined),
    ]);
    const findings = lintKeys(givenOfKeys(data, 'configmap/cilium-config'), facts, minorOf(to));
    return checkSettings('config', findings, 'cilium-config', { isWritten: release !== undefined });
  }

  async #definitions(): Promise<CheckRow[]> {
    const { client, to } = this.upgrade;
    const found = await listDefinitions(client);
    const counted: Definition[] = [];
    for (const definition of found) {
      const isGone = GONE_KINDS.some(({ plural, gone }) => plural === definition.plural && atLeast(to, gone));
      const [version] = definition.served;
      const objects = isGone && version ? await countObjects(client, definition.plural, version) : undefined;
      counted.push({ ...definition, objects });
    }
    return checkDefinitions(counted, to);
  }

  async #policies(): Promise<CheckRow[]> {
    const { client, from, to } = this.upgrade;
    const files = (await findPolicies(client, undefined)).map(({ name, object }) => ({
      file: name,
      text: JSON.stringify(object),
    }));
    const read = (target: Release | undefined) =>
      parsePolicies(files, { strict: false, target, readAll: true });
    const now = from === undefined ? [] : (await read(from)).findings;
    return checkPolicies(files.length, now, (await read(to)).findings, to);
  }

  async #decisions(): Promise<CheckRow[]> {
    const { from, to, ctx } = this.upgrade;
    if (from === undefined)
      return [notKnown('decisions', 'the present release is not known: nothing to compare with')];
    const { engine } = await loadEngine(ctx, {
      state: 'cluster',
      release: { release: from, development: undefined },
    });
    const after = engine.withSettings({
      ...{ release: to, development: undefined },
      // Charts of 1.18 write that it is off, and those from 1.19 on that it is on.
      ...(!atLeast(from, '1.19') && { defaultLocalCluster: undefined }),
    });
    return checkDecisions(compareByRelease(engine, after), { from, to });
  }

  async #agents(): Promise<CheckRow[]> {
    const { client, namespace } = this.upgrade;
    return checkAgents(await listAgents(client, { namespace }));
  }

  async #versions(): Promise<CheckRow[]> {
    const { client, namespace } = this.upgrade;
    const [release, pods] = await Promise.all([
      this.#release().catch(() => undefined),
      listAll<Pod, RunningPod>(client, podsPath(namespace), {}, ({ metadata, spec }) => ({
        node: spec?.nodeName ?? '',
        labels: metadata?.labels ?? {},
        containers: spec?.containers ?? [],
      })),
    ]);
    const images = runningImages(pods);
    return [checkVersions(images, unlikeChart(images, release?.chartVersion), release?.chartVersion)];
  }

  async #pods(): Promise<CheckRow[]> {
    const { client, namespace } = this.upgrade;
    const [pods, names, agents] = await Promise.all([
      listNetworkPods(client),
      listEndpointNames(client),
      listComponentPods(client, namespace, 'k8s-app=cilium', 'cilium-agent'),
    ]);
    return [checkPods(unmanagedPods(pods, new Set(names), agents))];
  }
}
