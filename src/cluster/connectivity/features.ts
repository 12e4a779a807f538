/** Whether a feature is on, and which kind of it. */
export interface Feature {
  enabled: boolean;
  mode?: string;
}

/** What is known of a cluster beside the agents' configuration. */
export interface Surroundings {
  /** Nodes that are meant to run without Cilium. */
  nodesWithoutCilium: number;
  kubeProxyReplacement?: boolean;
}

export type Features = ReadonlyMap<string, Feature>;

type Config = Readonly<Record<string, string>>;

const isTrue = (value: string | undefined, otherwise = false) =>
  value === undefined || value === '' ? otherwise : value === 'true';

/** The features that the catalogue names, as the agents' ConfigMap has them. What is not listed is not known. */
export function featuresOf(config: Config, { nodesWithoutCilium }: Surroundings): Features {
  const encryption = isTrue(config['enable-ipsec'])
    ? 'ipsec'
    : isTrue(config['enable-wireguard'])
      ? 'wireguard'
      : isTrue(config['enable-ztunnel'])
        ? 'ztunnel'
        : 'disabled';
  const routing = config['routing-mode'] ?? (config.tunnel === 'disabled' ? 'native' : 'tunnel');
  const replacement = config['kube-proxy-replacement'];
  const l7 = isTrue(config['enable-l7-proxy'], true);
  const on = (enabled: boolean, mode?: string): Feature => ({ enabled, ...(mode !== undefined && { mode }) });
  return new Map<string, Feature>([
    ['L7Proxy', on(l7)],
    ['EncryptionPod', on(encryption !== 'disabled', encryption)],
    ['EncryptionNode', on(isTrue(config['encrypt-node']))],
    ['EncryptionStrictModeEgress', on(isTrue(config['enable-encryption-strict-mode']))],
    [
      'Tunnel',
      on(routing === 'tunnel', routing === 'tunnel' ? (config['tunnel-protocol'] ?? 'vxlan') : 'disabled'),
    ],
    ['KPR', on(replacement === 'true' || replacement === 'strict', replacement)],
    ['HealthChecking', on(isTrue(config['enable-health-checking'], true))],
    ['HostFirewall', on(isTrue(config['enable-host-firewall']))],
    ['ICMPPolicy', on(isTrue(config['enable-icmp-rules'], true))],
    ['EgressGateway', on(isTrue(config['enable-egress-gateway'] ?? config['enable-ipv4-egress-gateway']))],
    ['CIDRMatchNodes', on((config['policy-cidr-match-mode'] ?? '').split(/[\s,]+/).includes('nodes'))],
    ['IngressController', on(isTrue(config['enable-ingress-controller']))],
    ['L7LoadBalancer', on(config['loadbalancer-l7'] === 'envoy')],
    ['EnableEnvoyConfig', on(isTrue(config['enable-envoy-config']))],
    ['LocalRedirectPolicy', on(isTrue(config['enable-local-redirect-policy']))],
    ['BGPControlPlane', on(isTrue(config['enable-bgp-control-plane']))],
    ['Multicast', on(isTrue(config['multicast-enabled']))],
    [
      'AuthSpiffe',
      on(isTrue(config['mesh-auth-enabled']) && (config['mesh-auth-spire-admin-socket'] ?? '') !== ''),
    ],
    ['NodeWithoutCilium', on(nodesWithoutCilium > 0)],
    ['ClusterMeshEnableEndpointSync', on(isTrue(config['clustermesh-enable-endpoint-sync']))],
    ['KCNP', on(isTrue(config['enable-k8s-cluster-network-policy']))],
    ['CCNP', on(isTrue(config['enable-cilium-clusterwide-network-policy'], true))],
    [
      'PolicySecretsOnlyFromSecretsNamespace',
      on(isTrue(config['policy-secrets-only-from-secrets-namespace'])),
    ],
    ['PolicySecretSync', on(isTrue(config['enable-policy-secrets-sync']))],
    ['Ztunnel', on(isTrue(config['enable-ztunnel']))],
    [
      'HostPort',
      on(isTrue(config['enable-host-port']) || replacement === 'true' || replacement === 'strict'),
    ],
    ['NodeLocalDNS', on(false)],
    ['RHEL', on(false)],
  ]);
}

/** Why one of these needs is not met, in the words of the reference; undefined when all are. */
export function unmetNeed(needs: readonly string[], features: Features): string | undefined {
  for (const need of needs) {
    const [, not = '', name = '', sign, mode] = /^(not )?([A-Za-z0-9]+)(!?=)?(.*)$/.exec(need) ?? [];
    const feature = features.get(name);
    if (!feature) return `whether Feature ${name} is enabled is not known`;
    const have = feature.mode ?? (feature.enabled ? 'enabled' : 'disabled');
    if (sign === '=' && have !== mode) return `requires Feature ${name} mode ${mode}, got ${have}`;
    if (sign === '!=' && have === mode) return `requires Feature ${name} not equal to ${mode}`;
    if (sign !== undefined) continue;
    if (not && feature.enabled) return `Feature ${name} is enabled`;
    if (!not && !feature.enabled) return `Feature ${name} is disabled`;
  }
  return undefined;
}
