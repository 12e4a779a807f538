import { UserError } from '../../errors.ts';
import type { AgentConfig } from '../../model/config.ts';
import { Reader } from './reader.ts';
import type { DaemonConfiguration } from './types.gen.ts';

/** Reads the answer of `GET /config`. */
export function decodeConfig(answer: unknown): AgentConfig {
  const r = new Reader<DaemonConfiguration>('GET /config', answer);
  if (!r.has('status'))
    throw new UserError('Empty configuration status returned', {
      hint: 'Is this the socket of a Cilium agent?',
    });
  const status = r.at('status');
  const realized = status.at('realized');
  return {
    options: realized.at('options').textMap(),
    policyEnforcement: realized.text('policy-enforcement'),
    immutable: status.at('immutable').textMap(),
    readOnly: status.has('daemonConfigurationMap')
      ? Object.fromEntries(
          status
            .at('daemonConfigurationMap')
            .entries()
            .map(([name, value]) => [name, value.raw()]),
        )
      : undefined,
    kubernetesConfiguration: status.text('k8s-configuration'),
    kubernetesEndpoint: status.text('k8s-endpoint'),
    monitorPages: status.has('nodeMonitor') ? status.at('nodeMonitor').integer('npages') : undefined,
  };
}
