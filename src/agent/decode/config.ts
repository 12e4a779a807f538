import type { AgentConfig } from '../../model/config.ts';
import type { AgentClient } from '../client.ts';
import type { Reader } from './reader.ts';
import type { DaemonConfiguration } from './types.gen.ts';

/** What the agent is configured with now. */
export async function readConfig(agent: AgentClient, timeoutMs?: number): Promise<AgentConfig> {
  return decodeConfig(await agent.get('/config', { timeoutMs }));
}

function decodeConfig(answer: Reader<DaemonConfiguration>): AgentConfig {
  const status = answer.need('status');
  const realized = status.at('realized');
  const kvstore = status.at('kvstoreConfiguration');
  return {
    options: realized.at('options').textMap(),
    policyEnforcement: realized.text('policy-enforcement'),
    immutable: status.at('immutable').textMap(),
    readOnly: status.has('daemonConfigurationMap') ? status.at('daemonConfigurationMap').fields() : undefined,
    kubernetesConfiguration: status.text('k8s-configuration'),
    kubernetesEndpoint: status.text('k8s-endpoint'),
    kvstore: { type: kvstore.text('type'), options: kvstore.at('options').textMap() },
    monitorPages: status.has('nodeMonitor') ? status.at('nodeMonitor').integer('npages') : undefined,
  };
}

/** Changes the options that can be changed while the agent runs. */
export async function patchConfig(
  agent: AgentClient,
  options: Readonly<Record<string, string>>,
  policyEnforcement: string,
): Promise<void> {
  await agent.patch('/config', { body: { options, 'policy-enforcement': policyEnforcement } });
}
