import type { DaemonConfigurationSpec } from '../../agent/decode/types.gen.ts';
import type { Agent } from '../agent/agent.ts';
import { changeOptions, OptionError } from '../state/options.ts';
import { readOnlySettings } from '../world/settings.ts';
import { ApiFailure, type Handlers, ok } from './call.ts';

const ENFORCEMENT = ['default', 'always', 'never'];

export const configHandlers: Handlers = {
  'GET /config': (_, agent) => ok(configModel(agent)),

  'PATCH /config': async ({ body }, agent) => {
    const { options = {}, 'policy-enforcement': enforcement } = body as DaemonConfigurationSpec;
    const { MonitorNumPages: pages, ...rest } = options;
    await agent.store.update((state) => {
      if (enforcement !== undefined && !ENFORCEMENT.includes(enforcement))
        throw new ApiFailure(400, `invalid option for PolicyEnforcement ${enforcement}`);
      try {
        return {
          ...state,
          config: {
            options: changeOptions(state.config.options, rest),
            policyEnforcement: enforcement ?? state.config.policyEnforcement,
            monitorPages: pages === undefined ? state.config.monitorPages : Number(pages),
          },
        };
      } catch (error) {
        if (error instanceof OptionError) throw new ApiFailure(400, error.message);
        throw error;
      }
    });
    return ok();
  },
};

/** The configuration as the API shows it. */
function configModel(agent: Agent) {
  const { config } = agent.state;
  const { self } = agent.world;
  const spec = { options: config.options, 'policy-enforcement': config.policyEnforcement };
  const ipv6 = self.ipv6 !== undefined;
  const settings = { ...readOnlySettings(agent.world, config), ...agent.world.scenario.config?.readOnly };
  return {
    spec,
    status: {
      GROIPv4MaxSize: 65_536,
      GROMaxSize: 65_536,
      GSOIPv4MaxSize: 65_536,
      GSOMaxSize: 65_536,
      addressing: {
        ipv4: { enabled: true, ip: self.router.ipv4, 'alloc-range': self.podCIDR },
        ipv6: ipv6
          ? { enabled: true, ip: self.router.ipv6, 'alloc-range': self.podCIDR6 }
          : { enabled: false },
      },
      configuredDatapathMode: 'veth',
      daemonConfigurationMap: settings,
      datapathMode: 'veth',
      deviceMTU: 1500,
      'ipam-mode': 'cluster-pool',
      'k8s-configuration': '',
      'k8s-endpoint': '',
      kvstoreConfiguration: { type: '', options: {} },
      masquerade: true,
      masqueradeProtocols: { ipv4: true, ipv6 },
      nodeMonitor: { cpus: 2, npages: config.monitorPages, pagesize: 4096 },
      packetizationLayerPMTUDMode: '1',
      realized: spec,
      routeMTU: 1450,
    },
  };
}
