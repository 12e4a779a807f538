import { derivedAddress, derivedNumber } from '../../derive.ts';
import type { LabBackend, LabService } from '../../state/state.ts';
import { mustParse } from '../../world/world.ts';
import { kindNamed } from '../kinds.ts';
import { type LabMember, suffix } from '../objects.ts';
import type { ObjectStore } from '../store.ts';
import { isReady, type PodObject, type ServiceObject, type ServicePort, selects } from './forms.ts';
import { keep, listed } from './keep.ts';
import type { ClusterName } from './runner.ts';

/** Addresses of services, and the ports of nodes that they may have. */
const RANGE = '10.97.0.0/16';
const [FIRST_NODE_PORT, NODE_PORTS] = [30_000, 2768];
/** Numbers from here on are those of services that are objects. */
const FIRST_ID = 1001;
const NONE = 'None';

/** A port of a service with the pods behind it. */
interface Served {
  port: ServicePort;
  backends: { pod: PodObject; ip: string; port: number }[];
}

/** The controller of Services: their addresses, EndpointSlices and Endpoints, and what agents and the DNS know of them. */
export class Services {
  readonly #ids = new Map<string, number>();

  constructor(
    private readonly store: ObjectStore,
    private readonly members: readonly LabMember[],
  ) {}

  /** Brings all up to date; `serve` has every node reach the services before the agents say that they do. */
  async turn(
    serve: (services: readonly LabService[], names: readonly ClusterName[]) => Promise<void>,
  ): Promise<void> {
    for (const service of listed<ServiceObject>(this.store, 'Service')) this.#allot(service);
    const known: LabService[] = [];
    const names: ClusterName[] = [];
    const objects = listed<ServiceObject>(this.store, 'Service');
    for (const service of objects) {
      const served = this.#served(service);
      if (service.spec?.selector) this.#slices(service, served);
      known.push(...this.#asAgentsKnow(service, served));
      names.push(...namesOf(service, served));
    }
    for (const kind of ['EndpointSlice', 'Endpoints'])
      for (const object of listed(this.store, kind)) {
        const { labels = {}, namespace, name } = object.metadata;
        if (labels['endpointslice.kubernetes.io/managed-by'] !== MANAGER) continue;
        const of = kind === 'Endpoints' ? name : labels['kubernetes.io/service-name'];
        if (!objects.some(({ metadata }) => metadata.namespace === namespace && metadata.name === of))
          this.store.remove(kindNamed(kind), object);
      }
    // A service of the scenario that is an object too is what the object says.
    const isOther = ({ id, flags }: LabService) =>
      id < FIRST_ID &&
      !known.some(({ flags: its }) => its.namespace === flags.namespace && its.name === flags.name);
    const first = this.members[0]?.agent.state.services.filter(isOther) ?? [];
    await serve([...first, ...known], names);
    for (const { agent } of this.members) {
      const all = [...agent.state.services.filter(isOther), ...known];
      if (JSON.stringify(agent.state.services) !== JSON.stringify(all))
        await agent.store.update((state) => ({
          ...state,
          services: [...state.services.filter(isOther), ...known],
        }));
    }
  }

  #allot(service: ServiceObject): void {
    const { spec = {}, metadata } = service;
    const { type = 'ClusterIP', ports = [] } = spec;
    if (type === 'ExternalName') return;
    const key = `${metadata.namespace}/${metadata.name}`;
    const all = listed<ServiceObject>(this.store, 'Service').filter(
      (other) => other.metadata.uid !== metadata.uid,
    );
    const taken = new Set([
      ...all.map((other) => other.spec?.clusterIP),
      ...this.members.flatMap(({ agent }) => agent.state.services.map((one) => one['frontend-address'].ip)),
    ]);
    let { clusterIP } = spec;
    for (let i = 0; !clusterIP; i++) {
      const address = derivedAddress(mustParse(RANGE), 'service', key, String(i));
      if (!taken.has(address)) clusterIP = address;
    }
    const wantsPort = (type === 'NodePort' || type === 'LoadBalancer') && clusterIP !== NONE;
    const takenPorts = new Set(
      all.flatMap((other) => (other.spec?.ports ?? []).map(({ nodePort }) => nodePort)),
    );
    const allotted = ports.map((port, i) => {
      const { nodePort: _, ...plain } = port;
      let { nodePort } = port;
      for (let n = 0; wantsPort && !nodePort; n++) {
        const wanted = FIRST_NODE_PORT + derivedNumber(NODE_PORTS, 'node port', key, String(i), String(n));
        if (!takenPorts.has(wanted)) nodePort = wanted;
      }
      if (nodePort) takenPorts.add(nodePort);
      return {
        ...plain,
        protocol: port.protocol ?? 'TCP',
        targetPort: port.targetPort ?? port.port,
        ...(wantsPort && { nodePort }),
      };
    });
    keep(this.store, service, {
      ...service,
      spec: {
        ...spec,
        type,
        clusterIP,
        clusterIPs: [clusterIP],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'SingleStack',
        sessionAffinity: 'None',
        internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster',
        ...(wantsPort && { externalTrafficPolicy: spec.externalTrafficPolicy ?? 'Cluster' }),
        ...(ports.length > 0 && { ports: allotted }),
      },
      status: service.status ?? { loadBalancer: {} },
    });
  }

  #served({ spec, metadata }: ServiceObject): Served[] {
    const { selector, ports = [], publishNotReadyAddresses = false } = spec ?? {};
    const pods = selector
      ? listed<PodObject>(this.store, 'Pod', metadata.namespace).filter(
          (pod) =>
            selects({ matchLabels: selector }, pod.metadata.labels) &&
            (publishNotReadyAddresses || isReady(pod)),
        )
      : [];
    return ports.map((port) => ({
      port,
      backends: pods.flatMap((pod) => {
        const ip = pod.status?.podIP;
        const number = targetOf(port, pod);
        return ip !== undefined && number !== undefined ? [{ pod, ip, port: number }] : [];
      }),
    }));
  }

  #slices(service: ServiceObject, served: readonly Served[]): void {
    const { name, namespace, uid, labels } = service.metadata;
    const owner = [{ apiVersion: 'v1', kind: 'Service', name, uid, controller: true }];
    const pods = [
      ...new Map(served.flatMap(({ backends }) => backends.map((one) => [one.ip, one.pod]))).entries(),
    ];
    const ports = served.map(({ port, backends }) => ({
      name: port.name ?? '',
      port: backends[0]?.port ?? Number(port.targetPort ?? port.port),
      protocol: port.protocol ?? 'TCP',
    }));
    const put = (kind: string, meta: { name: string; [field: string]: unknown }, rest: object) => {
      const metadata = { namespace, ...meta };
      const before = this.store.find(kindNamed(kind), namespace, metadata.name);
      if (!before) this.store.put(kindNamed(kind), { metadata, ...rest });
      else keep(this.store, before, { ...before, ...rest });
    };
    const reference = (pod: PodObject) => ({
      kind: 'Pod',
      name: pod.metadata.name,
      namespace: pod.metadata.namespace,
      uid: pod.metadata.uid,
    });
    put(
      'EndpointSlice',
      {
        name: `${name}-${suffix(`slice ${namespace}/${name}`)}`,
        labels: {
          ...labels,
          'kubernetes.io/service-name': name,
          'endpointslice.kubernetes.io/managed-by': MANAGER,
        },
        ownerReferences: owner,
      },
      {
        addressType: 'IPv4',
        endpoints: pods.map(([ip, pod]) => ({
          addresses: [ip],
          conditions: { ready: isReady(pod), serving: isReady(pod), terminating: false },
          nodeName: pod.spec?.nodeName,
          targetRef: reference(pod),
        })),
        ports,
      },
    );
    put(
      'Endpoints',
      { name, labels: { ...labels, 'endpointslice.kubernetes.io/managed-by': MANAGER } },
      {
        subsets:
          pods.length === 0
            ? []
            : [
                {
                  addresses: pods.map(([ip, pod]) => ({
                    ip,
                    nodeName: pod.spec?.nodeName,
                    targetRef: reference(pod),
                  })),
                  ports: ports.map(({ name: of, ...port }) => ({ ...(of && { name: of }), ...port })),
                },
              ],
      },
    );
  }

  #asAgentsKnow(service: ServiceObject, served: readonly Served[]): LabService[] {
    const { name, namespace } = service.metadata;
    const {
      clusterIP,
      internalTrafficPolicy = 'Cluster',
      externalTrafficPolicy = 'Cluster',
    } = service.spec ?? {};
    if (!clusterIP || clusterIP === NONE) return [];
    return served.flatMap(({ port, backends }) => {
      const protocol = port.protocol ?? 'TCP';
      const one = (type: string, ip: string, number: number): LabService => ({
        id: this.#id(`${ip}:${number}/${protocol}`),
        'frontend-address': { ip, port: number, protocol, scope: 'external' },
        'backend-addresses': backends.map(
          ({ pod, ip, port }): LabBackend => ({
            ip,
            port,
            protocol,
            ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
            state: 'active',
            preferred: true,
            weight: 100,
          }),
        ),
        flags: {
          type,
          name,
          namespace,
          trafficPolicy: externalTrafficPolicy,
          extTrafficPolicy: externalTrafficPolicy,
          intTrafficPolicy: internalTrafficPolicy,
        },
      });
      return [
        one('ClusterIP', clusterIP, port.port),
        ...(port.nodePort ? [one('NodePort', '0.0.0.0', port.nodePort)] : []),
      ];
    });
  }

  #id(frontend: string): number {
    const known = this.#ids.get(frontend);
    if (known !== undefined) return known;
    const id = FIRST_ID + this.#ids.size;
    this.#ids.set(frontend, id);
    return id;
  }
}

const MANAGER = 'endpointslice-controller.k8s.io';

function targetOf({ targetPort, port }: ServicePort, pod: PodObject): number | undefined {
  if (typeof targetPort === 'string' && !/^\d+$/.test(targetPort))
    return (pod.spec?.containers ?? [])
      .flatMap(({ ports = [] }) => ports)
      .find(({ name }) => name === targetPort)?.containerPort;
  return Number(targetPort ?? port);
}

/** What the cluster's DNS answers for a service: its address, or of a headless one those of its pods. */
function namesOf({ metadata, spec }: ServiceObject, served: readonly Served[]): ClusterName[] {
  const name = `${metadata.name}.${metadata.namespace}.svc`;
  const ports = served.flatMap(({ port }) =>
    port.name
      ? [{ service: `_${port.name}._${(port.protocol ?? 'TCP').toLowerCase()}`, port: port.port }]
      : [],
  );
  if (spec?.type === 'ExternalName') return [];
  if (spec?.clusterIP !== NONE) return [{ name, addresses: spec?.clusterIP ? [spec.clusterIP] : [], ports }];
  const backends = served.flatMap(({ backends: all }) => all);
  return [
    { name, addresses: [...new Set(backends.map(({ ip }) => ip))], ports },
    ...backends.flatMap(({ pod, ip }) =>
      pod.spec?.hostname ? [{ name: `${pod.spec.hostname}.${name}`, addresses: [ip], ports: [] }] : [],
    ),
  ];
}
