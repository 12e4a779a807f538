import { type Given, textOf } from './given.ts';

/** Since which minor the chart ends when a value is set that is gone. */
const REFUSED: Readonly<Record<string, number>> = {
  tunnel: 15,
  'clustermesh.apiserver.tls.ca.cert': 15,
  'clustermesh.apiserver.tls.ca.key': 15,
  enableK8sEventHandover: 15,
  enableCnpStatusUpdates: 15,
  'containerRuntime.integration': 16,
  'encryption.keyFile': 16,
  'encryption.mountPath': 16,
  'encryption.secretName': 16,
  'encryption.interface': 16,
  'proxy.prometheus.enabled': 16,
  'proxy.prometheus.port': 16,
  endpointStatus: 16,
  'endpointStatus.enabled': 16,
  'endpointStatus.status': 16,
  remoteNodeIdentity: 16,
  'etcd.managed': 16,
  enableCiliumEndpointSlice: 18,
  'ciliumEndpointSlice.sliceMode': 18,
};

/** Whether the chart of a release ends when a value is set. */
export function isRefusedValue(name: string, minor: number): boolean {
  const since = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  return since !== undefined && since <= minor;
}

/** What the chart refuses, and the value that it is told at. */
interface Refusal {
  given: Given;
  message: string;
  hint?: string;
}

/** Finds a value that was given; undefined where the chart's default holds. */
type Find = (name: string) => Given | undefined;

interface Rule {
  since: number;
  until?: number;
  /** The value that is at fault; undefined when the rule is kept, or cannot be decided from what was given. */
  broken: (at: Find, minor: number) => Given | undefined;
  message: string;
  hint?: string;
}

const isOn = (given: Given | undefined) =>
  given !== undefined &&
  given.value !== false &&
  given.value !== '' &&
  given.value !== null &&
  given.value !== 0;
const isOff = (given: Given | undefined) => given !== undefined && !isOn(given);
const isFilled = (given: Given | undefined) =>
  given !== undefined &&
  (given.children.length > 0 ||
    (isOn(given) && (typeof given.value !== 'object' || Object.keys(given.value ?? {}).length > 0)));
const when = (isBroken: boolean, given: Given | undefined) => (isBroken ? given : undefined);
const oneOf = (given: Given | undefined, ...values: unknown[]) =>
  given !== undefined && !values.map(textOf).includes(textOf(given.value));

/** Only the chart of 1.16 can be told to leave the shape of the cluster's name alone. */
function isNameChecked(at: Find, minor: number): boolean {
  return minor > 16 || at('upgradeCompatibility') === undefined;
}

/** Rules of the charts' templates about values that are given; in their order. */
const RULES: readonly Rule[] = [
  {
    since: 9,
    broken: (at) =>
      when(
        isOn(at('hubble.ui.enabled')) &&
          !isOn(at('hubble.ui.standalone.enabled')) &&
          !isOn(at('hubble.relay.enabled')),
        at('hubble.ui.enabled'),
      ),
    message: 'hubble.ui.enabled needs hubble.relay.enabled=true',
  },
  {
    since: 9,
    broken: (at) =>
      when(isOn(at('hubble.relay.enabled')) && isOff(at('hubble.enabled')), at('hubble.relay.enabled')),
    message: 'hubble.relay.enabled needs hubble.enabled=true',
  },
  {
    since: 14,
    broken: (at, minor) => {
      const slices = at(minor < 16 ? 'enableCiliumEndpointSlice' : 'ciliumEndpointSlice.enabled');
      return when(isOn(slices) && at('disableEndpointCRD')?.value === true, slices);
    },
    message: 'endpoint slices need disableEndpointCRD=false',
  },
  {
    since: 16,
    broken: (at) => when(at('cluster.name')?.value === '', at('cluster.name')),
    message: 'cluster.name may not be empty',
  },
  {
    since: 16,
    broken: (at, minor) => {
      const name = at('cluster.name');
      const isLong = typeof name?.value === 'string' && name.value.length > 32;
      return when(isNameChecked(at, minor) && isLong, name);
    },
    message: 'cluster.name may not be longer than 32 characters',
  },
  {
    since: 16,
    broken: (at, minor) => {
      const name = at('cluster.name');
      const isNamed = isNameChecked(at, minor) && typeof name?.value === 'string' && name.value !== '';
      return when(isNamed && !/^(?:[a-z0-9][-a-z0-9]*)?[a-z0-9]$/.test(textOf(name?.value)), name);
    },
    message:
      'cluster.name takes small letters, digits and dashes only, and begins and ends with one of the first two',
  },
  {
    since: 16,
    broken: (at) => {
      const [id, name] = [at('cluster.id'), at('cluster.name')];
      const isDefault = name === undefined || name.value === 'default';
      return when(Number(id?.value) > 0 && isDefault, id);
    },
    message: 'cluster.id needs a cluster.name other than "default"',
  },
  {
    since: 15,
    broken: (at) => {
      const most = at('clustermesh.maxConnectedClusters');
      return when(oneOf(most, 255, 511), most);
    },
    message: 'clustermesh.maxConnectedClusters is 255 or 511',
  },
  {
    since: 14,
    broken: (at) => {
      const mode = at('clustermesh.apiserver.tls.authMode');
      const isWrong = oneOf(mode, 'legacy', 'migration', 'cluster');
      return when(isOn(at('clustermesh.useAPIServer')) && isWrong, mode);
    },
    message: 'clustermesh.apiserver.tls.authMode is legacy, migration or cluster',
  },
  {
    since: 18,
    broken: (at) => {
      const mode = at('clustermesh.apiserver.kvstoremesh.kvstoreMode');
      return when(oneOf(mode, 'internal', 'external'), mode);
    },
    message: 'clustermesh.apiserver.kvstoremesh.kvstoreMode is internal or external',
  },
  {
    since: 20,
    broken: (at) => when(at('ipam.mode')?.value === 'eni' && !isOn(at('eni.enabled')), at('ipam.mode')),
    message: 'ipam.mode=eni needs eni.enabled=true',
  },
  {
    since: 18,
    broken: (at) =>
      when(isFilled(at('k8sServiceHostRef.name')) && isOn(at('k8sServiceHost')), at('k8sServiceHost')),
    message: 'k8sServiceHost and k8sServiceHostRef exclude each other',
  },
  {
    since: 12,
    broken: (at, minor) => {
      const isNeeded =
        isOn(at('ingressController.enabled')) ||
        (minor >= 13 && isOn(at('gatewayAPI.enabled'))) ||
        (minor >= 13 && at('loadBalancer.l7.backend')?.value === 'envoy');
      return when(isNeeded && isOff(at('l7Proxy')), at('l7Proxy'));
    },
    message: 'Ingress, Gateway API and the L7 load balancer need l7Proxy=true',
  },
  {
    since: 14,
    broken: (at, minor) => {
      const enabled = at('authentication.enabled');
      // It is on by itself up to 1.18.
      const isMissing = enabled === undefined ? minor >= 19 : isOff(enabled);
      const spire = at('authentication.mutual.spire.enabled');
      return when(isOn(spire) && isMissing, spire);
    },
    message: 'authentication.mutual.spire.enabled needs authentication.enabled=true',
  },
  {
    since: 19,
    broken: (at) => {
      const isNetkit = ['netkit', 'netkit-l2'].includes(textOf(at('bpf.datapathMode')?.value));
      return when(isNetkit && isOn(at('bpf.tproxy')), at('bpf.tproxy'));
    },
    message: 'bpf.tproxy cannot be used with a bpf.datapathMode of netkit',
  },
  {
    since: 15,
    broken: (at) => {
      const [allow, deny] = ['allow', 'deny'].map((list) => at(`hubble.redact.http.headers.${list}`));
      return when(isFilled(allow) && isFilled(deny), deny);
    },
    message: 'of hubble.redact.http.headers.allow and deny one may be given',
  },
  {
    since: 14,
    broken: (at) => {
      const mode = at('routingMode');
      return when(isOn(at('gke.enabled')) && isOn(mode) && mode?.value !== 'native', mode);
    },
    message: 'gke.enabled needs routingMode=native',
  },
  {
    since: 14,
    broken: (at) => {
      const mode = at('routingMode');
      return when(isOn(at('aksbyocni.enabled')) && isOn(mode) && mode?.value !== 'tunnel', mode);
    },
    message: 'aksbyocni.enabled needs routingMode=tunnel',
  },
  {
    since: 18,
    broken: (at) => {
      const mode = at('routingMode');
      const cloud =
        isOn(at('eni.enabled')) || ['eni', 'alibabacloud'].includes(textOf(at('ipam.mode')?.value));
      const masquerades = at('enableIPv4Masquerade')?.value === true && !isOff(at('ipv4.enabled'));
      const isFree = isOn(at('ipMasqAgent.enabled')) || isFilled(at('ipv4NativeRoutingCIDR'));
      return when(mode?.value === 'native' && masquerades && !cloud && !isFree, mode);
    },
    message: 'routingMode=native with enableIPv4Masquerade=true needs ipv4NativeRoutingCIDR',
    hint: 'It names the addresses that are reached without masquerading, such as the pod CIDR of the cluster.',
  },
  {
    since: 18,
    broken: (at) => {
      const mode = at('routingMode');
      const cloud =
        isOn(at('eni.enabled')) || ['eni', 'alibabacloud'].includes(textOf(at('ipam.mode')?.value));
      const masquerades = isOn(at('ipv6.enabled')) && !isOff(at('enableIPv6Masquerade'));
      const isFree = isOn(at('ipMasqAgent.enabled')) || isFilled(at('ipv6NativeRoutingCIDR'));
      return when(mode?.value === 'native' && masquerades && !cloud && !isFree, mode);
    },
    message: 'routingMode=native with IPv6 masquerading needs ipv6NativeRoutingCIDR',
  },
  {
    since: 10,
    until: 15,
    broken: (at) => {
      const enabled = at('endpointStatus.enabled');
      return when(isOn(enabled) && !isFilled(at('endpointStatus.status')), enabled);
    },
    message: 'endpointStatus.enabled needs endpointStatus.status, such as "policy health"',
  },
  {
    since: 9,
    until: 15,
    broken: (at) => {
      const metrics = at('hubble.metrics.enabled');
      return when(typeof metrics?.value === 'string' && metrics.value !== '', metrics);
    },
    message: 'hubble.metrics.enabled is a list',
  },
  {
    since: 11,
    broken: (at) => {
      const method = at('hubble.tls.auto.method');
      const isUsed = !['hubble.enabled', 'hubble.tls.enabled', 'hubble.tls.auto.enabled'].some((name) =>
        isOff(at(name)),
      );
      const isMissing = !isFilled(at('hubble.tls.auto.certManagerIssuerRef'));
      return when(method?.value === 'certmanager' && isUsed && isMissing, method);
    },
    message: 'hubble.tls.auto.method=certmanager needs hubble.tls.auto.certManagerIssuerRef',
  },
  {
    since: 16,
    broken: (at) => {
      const id = at('envoy.baseID');
      const n = Number(id?.value);
      return when(id !== undefined && !(n >= 0 && n <= 4_294_967_295), id);
    },
    message: 'envoy.baseID is a number from 0 to 4294967295',
  },
  {
    since: 19,
    broken: (at) =>
      when(
        isOn(at('standaloneDnsProxy.enabled')) && !isOn(at('dnsProxy.proxyPort')),
        at('standaloneDnsProxy.enabled'),
      ),
    message: 'standaloneDnsProxy.enabled needs a dnsProxy.proxyPort, such as 10094',
  },
  {
    since: 10,
    until: 16,
    broken: (at, minor) => {
      const pods = minor >= 11 && isOn(at('bgp.announce.podCIDR'));
      const isAnnounced = isOn(at('bgp.announce.loadbalancerIP')) || pods;
      return when(isOn(at('bgp.enabled')) && !isAnnounced, at('bgp.enabled'));
    },
    message: 'bgp.enabled needs an announcement: bgp.announce.loadbalancerIP or bgp.announce.podCIDR',
  },
];

/** The rules of a release that what was given breaks, with the value that is told. */
export function refusals(at: Find, minor: number): Refusal[] {
  return RULES.flatMap(({ since, until, broken, message, hint }) => {
    if (minor < since || (until !== undefined && minor > until)) return [];
    const given = broken(at, minor);
    return given ? [{ given, message: `the chart refuses this: ${message}`, ...(hint && { hint }) }] : [];
  });
}
