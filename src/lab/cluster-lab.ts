import { join } from 'node:path';
import { agentEnvironment } from './environment.ts';
import { publish } from './folder.ts';
import { type ClusterMember, serveCluster } from './kube/cluster.ts';
import { type Lab, type LabOptions, startLab } from './lab.ts';
import { FORGOTTEN_POLICY } from './pods/faults.ts';
import { SandboxPods } from './pods/runner.ts';
import { loadScenario } from './scenario/load.ts';

/**
 * Starts a lab that is a cluster: an agent for each of its nodes, and a Kubernetes API that knows them. The lab of the
 * first node is the one that is returned; those of the others live in its folder.
 */
export async function startClusterLab(options: LabOptions): Promise<Lab> {
  const { scenario } = loadScenario(options.scenario, options.cwd);
  const first = await startLab({ ...options, bare: true });
  const labs = [first];
  const closers: (() => Promise<void>)[] = [];
  const closeAll = async () => {
    for (const close of closers.toReversed()) await close();
    for (const lab of labs.toReversed()) await lab.close();
  };
  try {
    for (const { name } of first.agent.world.nodes) {
      if (name === first.agent.world.self.name) continue;
      const dir = join(first.info.dir, 'n', name);
      const { flows: _, hubblePort: __, throwaway: ___, name: ____, ...shared } = options;
      labs.push(await startLab({ ...shared, dir, node: name, maps: 'off', bare: true }));
    }
    const members = labs.map(({ agent, info }): ClusterMember => {
      return { node: agent.world.self, agent, info, environment: agentEnvironment(info) };
    });
    const nodes = members.map(({ node }) => node);
    const faults = new Set(options.faults);
    const pods = options.pods
      ? await SandboxPods.open(first.info.dir, nodes, first.agent.log, faults)
      : undefined;
    if (faults.has('node-to-node')) loseSight(members);
    if (pods) closers.push(() => pods.close());
    for (const { agent, show } of labs) pods?.enforceFor(agent, show);
    const kube = await serveCluster(
      members,
      [...(scenario.policies ?? []), ...(faults.has('policy-object') ? [FORGOTTEN_POLICY] : [])],
      first.info.dir,
      options.clock.nowMs,
      pods,
    );
    closers.push(() => kube.close());
    const { url, kubeconfig } = kube;
    const info = { ...first.info, kube: { url, kubeconfig, nodes: nodes.map(({ name }) => name) } };
    await publish(info);
    return {
      ...first,
      info,
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** Agents of nodes between which packets are lost do not see each other. */
function loseSight(members: readonly ClusterMember[]): void {
  const [first, last] = [members[0], members.at(-1)];
  const health = { node: 'Connection timed out', endpoint: 'Connection timed out' };
  for (const [here, there] of [
    [first, last],
    [last, first],
  ])
    for (const node of here?.agent.world.nodes ?? [])
      if (node.name === there?.node.name) node.health = health;
}
