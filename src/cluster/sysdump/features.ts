/** A feature that the agent's configuration turns on, or a mode that it chooses. */
export interface Feature {
  isOn: boolean;
  mode: string;
}

type Data = Readonly<Record<string, string>>;

/** Features whose key has the feature's own name. */
const BY_OWN_KEY = [
  'bpf-lb-external-clusterip',
  'clustermesh-default-global-namespace',
  'clustermesh-enable-endpoint-sync',
  'enable-bgp-control-plane',
  'enable-envoy-config',
  'enable-gateway-api',
  'enable-ipsec',
  'enable-local-redirect-policy',
  'enable-policy-secrets-sync',
  'enable-ztunnel',
  'multicast-enabled',
  'policy-default-local-cluster',
];
/** Others, and the keys of which one is `true`. */
const BY_KEY: Readonly<Record<string, readonly string[]>> = {
  'enable-egress-gateway': ['enable-egress-gateway', 'enable-ipv4-egress-gateway'],
  'enable-encryption-strict-mode-egress': [
    'enable-encryption-strict-mode',
    'enable-encryption-strict-mode-egress',
  ],
  'endpoint-routes': ['enable-endpoint-routes'],
  'ingress-controller': ['enable-ingress-controller'],
  ipv4: ['enable-ipv4'],
  ipv6: ['enable-ipv6'],
  'mutual-auth-spiffe': ['mesh-auth-mutual-enabled'],
  'policy-secrets-only-from-secrets-namespace': ['enable-policy-secrets-sync'],
};
const PORTS: Readonly<Record<string, string>> = { vxlan: '8472', geneve: '6081' };

/** The features that cilium-cli reads out of the ConfigMap, by the names that it gives them. */
export function detectFeatures(data: Data): Map<string, Feature> {
  const features = new Map<string, Feature>();
  const set = (name: string, isOn: boolean, mode = '') => features.set(name, { isOn, mode });
  const isTrue = (key: string) => data[key] === 'true';
  for (const name of BY_OWN_KEY) set(name, isTrue(name));
  for (const [name, keys] of Object.entries(BY_KEY)) set(name, keys.some(isTrue));
  const chaining = data['cni-chaining-mode'] ?? 'none';
  set('cni-chaining', chaining !== 'none', chaining);
  set('cidr-match-nodes', (data['policy-cidr-match-mode'] ?? '').includes('nodes'));
  set('ipam', false, data.ipam ?? '');
  set('loadbalancer-l7', data['loadbalancer-l7'] === 'envoy');
  const topology = data['subnet-topology'];
  set('subnet-topology', topology !== undefined, topology ?? '');
  const protocol = data['tunnel-protocol'] ?? 'vxlan';
  set('tunnel', (data['routing-mode'] ?? 'tunnel') !== 'native', protocol);
  const port = data['tunnel-port'];
  set('tunnel-port', port !== undefined, port ?? PORTS[protocol] ?? '');
  return features;
}

/** The features as Go prints its map. */
export function featuresText(features: ReadonlyMap<string, Feature>): string {
  const text = ({ isOn, mode }: Feature) =>
    `${isOn ? 'Enabled' : 'Disabled'}${mode === '' ? '' : `:${mode}`}`;
  const words = [...features]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, feature]) => `${name}:${text(feature)}`);
  return `map[${words.join(' ')}]`;
}
