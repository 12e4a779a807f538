import type { AgentClient } from '../client.ts';
import { type Answer, objectAnswer } from './answer.ts';
import { decodeEndpointRows } from './endpoints.ts';
import { decodePolicy } from './policy.ts';
import type { Reader } from './reader.ts';
import { decodeServices } from './services.ts';
import { decodeStatus, wireguard } from './status.ts';
import type { DebugInfo } from './types.gen.ts';

/** Everything that the agent tells about itself for a report of a fault. */
export function readDebugInfo(agent: AgentClient, timeoutMs: number): Promise<Answer<DebugReport>> {
  return objectAnswer(agent.get('/debuginfo', { timeoutMs }), 'DebugInfo', decodeReport);
}

/** What a report shows. */
export type DebugReport = ReturnType<typeof decodeReport>;

function decodeReport(info: Reader<DebugInfo>) {
  const tunnel = info.at('encryption').at('wireguard');
  return {
    version: info.text('cilium-version'),
    kernelVersion: info.text('kernel-version'),
    status: info.has('cilium-status') ? decodeStatus(info.at('cilium-status')) : undefined,
    endpoints: decodeEndpointRows(info.at('endpoint-list')),
    services: decodeServices(info.at('service-list')).services,
    policy: decodePolicy(info.at('policy')),
    environment: info.texts('environment-variables'),
    subsystems: info.at('subsystem').textMap(),
    wireguard: tunnel.present ? wireguard(tunnel) : undefined,
    memoryMap: info.text('cilium-memory-map'),
    monitorMemoryMap: info.text('cilium-nodemonitor-memory-map'),
  };
}
