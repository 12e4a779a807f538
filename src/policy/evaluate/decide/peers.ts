import { UserError } from '../../../errors.ts';
import { type AddressRange, contains, parseAddress, parseRange } from '../../../lib/address.ts';
import {
  cidrLabel,
  formatLabel,
  type Label,
  POD_CLUSTER,
  POD_NAMESPACE,
  parseLabels,
} from '../../../model/label.ts';
import { RESERVED_IDENTITIES, RESERVED_IDS, reservedLabels } from '../../../model/reserved-identity.ts';
import { protocolNumber } from '../maps/ports.ts';
import type { Backend, ClusterService, PodObject } from '../selectors/cluster-objects.ts';
import {
  type Gap,
  type Identity,
  identityOf,
  isOutside,
  isPodNumber,
  isReserved,
} from '../selectors/identities.ts';
import type { PolicyState } from './cluster-state.ts';
import type { PolicyEngine } from './engine.ts';

/** One end of a connection, as the user named it. */
export interface Peer {
  identity: Identity;
  /** What reports call it. */
  label: string;
  /** The address that named it. */
  ip?: string;
  /** Other identities that the labels may mean as well. */
  alike?: readonly Identity[];
}

/** Not one of those that Cilium adds to the labels of a pod. */
const isOwn = ({ key }: Label) => !key.startsWith('io.cilium.');
const ownLabels = ({ labels }: Identity) => labels.filter(isOwn).length;

const ADDED = 'the labels of its namespace and its service account are not known';

/** Finds peers by the names that users give them. Peers that the state does not contain get identities with negative ids. */
export class Peers {
  /** Identities of the ends of flows that depend on nothing else; readers of flows share ends that repeat. */
  readonly ofEnds = new WeakMap<object, Identity>();
  #next = -1;
  readonly #made = new Map<string, Identity>();
  readonly #outside = new Map<string, Identity>();

  constructor(
    readonly engine: PolicyEngine,
    readonly state: PolicyState,
    /** For labels that do not name one. */
    readonly namespace = 'default',
  ) {}

  /** Labels, `namespace/pod`, an identity's number, an address or prefix, `fqdn:name`, or an entity. */
  find(text: string): Peer {
    const label = text.trim();
    if (/^\d+$/.test(label)) return { label: `identity ${label}`, identity: this.#byId(Number(label)) };
    if (label.startsWith('fqdn:')) return { label: label.slice(5), identity: this.named(label.slice(5)) };
    const bare = label.replace(/^reserved:/, '');
    if (Object.hasOwn(RESERVED_IDS, bare)) return { label: bare, identity: this.#entity(bare) };
    const address = addressOf(label);
    if (address !== undefined) return { label, identity: this.address(address), ip: address };
    if (/^[a-z0-9][-a-z0-9.]*\/[a-z0-9][-a-z0-9.]*$/.test(label))
      return { label, identity: this.#pod(label) };
    if (/[=:]/.test(label)) {
      const [identity, ...alike] = this.#labelled(label.split(',').map((part) => part.trim()));
      return { label, identity, ...(alike.length > 0 && { alike }) };
    }
    throw new UserError(`"${text}" does not name a peer`, {
      hint: 'Use labels (app=frontend), a pod (namespace/name), an identity number, an address or prefix, fqdn:NAME, or an entity (world, host, …).',
    });
  }

  /** An identity with these labels and names, made when it is new. */
  ofLabels(labels: readonly string[], names: readonly string[] = [], gap?: Gap): Identity {
    const key = `${[...labels].sort().join(',')} ${[...names].sort().join(',')} ${gap?.of} ${gap?.why}`;
    return this.#make(key, labels, names, gap);
  }

  /** A host outside the cluster of which only the name is known. */
  named(name: string): Identity {
    return this.ofLabels(['reserved:world'], [name.toLowerCase().replace(/\.$/, '')]);
  }

  /** The identity of an address or prefix: by the address book, else a host outside the cluster. */
  address(text: string, names: readonly string[] = []): Identity {
    const range = parseRange(text);
    if (!range) throw new UserError(`"${text}" is neither an address nor a prefix`);
    const best = this.#inBook(range);
    const known = best && this.#ofNumber(best.identity);
    // An address outside the cluster is selected by every prefix that contains it, not only by its identity's.
    if (known && !isOutside(known)) return known;
    const onNode = this.state.objects.pods.find(({ onNode, ips }) => onNode && ips.includes(text));
    if (onNode) return this.#onNode(onNode);
    const why = isPrivate(range) && this.#whyOpen(text);
    if (why) return this.ofLabels([], names, { of: 'any', why });
    // The agent learned these names for it.
    const learned = (known?.labels ?? []).filter(({ source }) => source === 'fqdn').map(formatLabel);
    return this.ofLabels([cidrLabel(range), ...learned, this.#world(range.family)], names);
  }

  /** The pod, or the node, that the address book has for exactly this address. */
  atAddress(ip: string): Identity | undefined {
    const range = parseAddress(ip);
    const best = range && this.#inBook(range);
    if (!best || best.length !== range.length) return undefined;
    const known = this.#ofNumber(best.identity);
    return known && !isOutside(known) ? known : undefined;
  }

  /** The identity of a pod by `namespace/name`, if the state has it. */
  ofPod(name: string): Identity | undefined {
    const id = this.state.pods.get(name);
    return id === undefined ? undefined : this.#ofNumber(id);
  }

  /** The identity of a service's endpoint. */
  backend({ ip, pod }: Backend, { selector, namespace }: ClusterService): Identity {
    const known = (pod === undefined ? undefined : this.ofPod(pod)) ?? this.atAddress(ip);
    if (known) return known;
    const given =
      pod === undefined ? undefined : this.state.objects.pods.find((each) => nameOf(each) === pod);
    if (given?.onNode) return this.#onNode(given);
    if (selector) return this.#selectedPod(Object.entries(selector), namespace);
    const { addresses, identities } = this.state;
    // Most backends are pods, and the state has pods, but no address of one.
    const mayBePod = identities.some(({ id }) => isPodNumber(id)) && addresses.length === 0;
    return mayBePod
      ? this.ofLabels([], [], { of: 'any', why: `the state does not say whose address ${ip} is` })
      : this.address(ip);
  }

  /** The identities of pods with these labels. Without any, a pod of which only these labels are known. */
  selected(labels: readonly (readonly [key: string, value: string])[], namespace: string): Identity[] {
    const all: [string, string][] = [
      ...labels.map(([key, value]): [string, string] => [key, value]),
      [POD_NAMESPACE, namespace],
    ];
    const pods = [...this.engine.identities.all.values()].filter(({ byKey }) =>
      all.every(([key, value]) => byKey.get(key)?.value === value && byKey.get(key)?.source === 'k8s'),
    );
    const onNodes = this.state.objects.pods
      .filter((pod) => pod.onNode && !pod.ended && pod.namespace === namespace)
      .filter((pod) => labels.every(([key, value]) => pod.labels[key] === value))
      .map((pod) => this.#onNode(pod));
    const found = [...pods, ...onNodes];
    return found.length > 0 ? found : [this.#selectedPod(labels, namespace)];
  }

  /** Its traffic is that of a node, which may be this one or another. */
  #onNode(pod: PodObject): Identity {
    return this.ofLabels([], [], { of: 'any', why: `pod ${nameOf(pod)} uses the network of its node` });
  }

  #selectedPod(labels: readonly (readonly [string, string])[], namespace: string): Identity {
    const { clusterName } = this.engine;
    const own = [...labels, [POD_NAMESPACE, namespace], ...(clusterName ? [[POD_CLUSTER, clusterName]] : [])];
    return this.ofLabels(
      own.map(([key, value]) => `k8s:${key}=${value}`),
      [],
      { of: 'pod', why: 'of the pods of the service only the labels in its selector are known' },
    );
  }

  /** The narrowest entry of the address book that holds the range. */
  #inBook(range: AddressRange): { length: number; identity: number } | undefined {
    let best: { length: number; identity: number } | undefined;
    for (const { cidr, identity } of this.state.addresses) {
      const book = parseRange(cidr);
      if (book && contains(book, range) && book.length >= (best?.length ?? 0))
        best = { length: book.length, identity };
    }
    return best;
  }

  /** The identity of a number; undefined for a number of local scope that the state does not have. */
  #ofNumber(id: number): Identity | undefined {
    const known = this.engine.identities.get(id);
    if (known) return known;
    const name = RESERVED_IDENTITIES[id];
    if (name !== undefined && Object.hasOwn(RESERVED_IDS, name)) return this.ofLabels(reservedLabels(name));
    return isPodNumber(id)
      ? this.ofLabels([], [], { of: 'pod', why: `the state has no identity ${id}` })
      : undefined;
  }

  /** Why a private address that no pod or node is known to have may be one of the cluster. */
  #whyOpen(address: string): string | undefined {
    const what = this.state.localOnly ? 'a pod' : this.hidesServices() ? 'a service' : undefined;
    return what && `the state does not have ${address}, which may be the address of ${what}`;
  }

  /** The state has the addresses of pods, but no service. */
  hidesServices(): boolean {
    const { objects, addresses } = this.state;
    return objects.services.length === 0 && addresses.some(({ identity }) => isPodNumber(identity));
  }

  /** A host outside the cluster with this address, and with the reserved and FQDN labels that the agent gave it. */
  outside(ip: string, labels: readonly string[], names: readonly string[] = []): Identity {
    const cached = `${ip} ${labels.join(',')} ${names.join(',')}`;
    const known = this.#outside.get(cached);
    if (known) return known;
    const range = parseRange(ip);
    const cidr = range ? [cidrLabel(range)] : [];
    const world =
      labels.some((label) => label.startsWith('reserved:world')) || !range ? [] : [this.#world(range.family)];
    const made = this.ofLabels(
      [...cidr, ...labels, ...world],
      names.map((name) => name.toLowerCase().replace(/\.$/, '')),
    );
    this.#outside.set(cached, made);
    return made;
  }

  /** The same peer with these names. */
  withNames(peer: Identity, names: readonly string[]): Identity {
    return this.ofLabels(
      peer.labels.map(formatLabel),
      names.map((name) => name.toLowerCase().replace(/\.$/, '')),
    );
  }

  #byId(id: number): Identity {
    const known = this.engine.identities.get(id);
    if (known) return known;
    const reserved = Object.entries(RESERVED_IDS).find(([, own]) => own === id)?.[0];
    if (reserved) return this.#entity(reserved);
    throw new UserError(`identity ${id} is not known`, {
      hint: this.#isStateless
        ? 'Pass the identities of the cluster with --state (a file, "agent" or "cluster").'
        : `The state has ${this.state.identities.length} identities, and none of that number: "cilium identity list" shows those of an agent.`,
    });
  }

  /** Nothing was said of the cluster. */
  get #isStateless(): boolean {
    return this.state.identities.length === 0 && this.state.pods.size === 0;
  }

  #entity(name: string): Identity {
    // Where the families have identities of their own, the world is more than the identity of its name.
    const whole = name === 'world' && this.engine.dualStack !== false;
    const known = whole ? undefined : this.engine.identities.get(RESERVED_IDS[name] ?? -1);
    return known ?? this.ofLabels(reservedLabels(name));
  }

  #pod(name: string): Identity {
    const known = this.ofPod(name);
    if (known) return known;
    throw new UserError(`pod ${name} is not known`, {
      hint: this.#isStateless
        ? 'Pass the pods with --state (a file, "agent" or "cluster"), or name the pod by its labels (app=frontend).'
        : `The state has ${this.state.pods.size} pods, and this is none of them: "cilium endpoint list" shows those of a node. Labels (app=frontend) do as well.`,
    });
  }

  /**
   * The identities that have the labels. Those that have no others, but for what Cilium adds, are meant where there are
   * some; pods that are not labelled yet are not where others are.
   */
  #labelled(texts: readonly string[]): [Identity, ...Identity[]] {
    const labels = parseLabels(texts, 'k8s');
    const isPod =
      labels.some(({ source }) => source === 'k8s' || source === 'any') &&
      !labels.some(({ source }) => source === 'reserved' || source === 'cidr' || source === 'fqdn');
    if (isPod && !labels.some(({ key }) => key === POD_NAMESPACE))
      labels.push({ source: 'k8s', key: POD_NAMESPACE, value: this.namespace });
    const fits = [...this.engine.identities.all.values()].filter((identity) =>
      labels.every(({ source, key, value }) => {
        const own = identity.byKey.get(key);
        return own?.value === value && (source === 'any' || own.source === source);
      }),
    );
    fits.sort((a, b) => a.labels.length - b.labels.length || a.id - b.id);
    const ready = isPod ? fits.filter((identity) => !isReserved(identity, 'init')) : [];
    const [first, ...others] = ready.length > 0 ? ready : fits;
    if (first) {
      const fewest = ownLabels(first);
      const exact = fewest === labels.filter(isOwn).length;
      return [first, ...others.filter((each) => !exact || ownLabels(each) === fewest)];
    }
    const says = labels.some(({ key }) => key === POD_CLUSTER);
    const cluster = isPod && !says ? this.engine.clusterName : undefined;
    const own = labels.map((label) =>
      formatLabel({ ...label, source: label.source === 'any' ? 'k8s' : label.source }),
    );
    const gap: Gap = { of: 'added', why: ADDED };
    const made = [...own, ...(cluster ? [`k8s:${POD_CLUSTER}=${cluster}`] : [])];
    return [this.ofLabels(made, [], isPod ? gap : undefined)];
  }

  /** Dual-stack clusters have a world label for each family. */
  #world(family: 4 | 6): string {
    return this.engine.dualStack === true ? `reserved:world-ipv${family}` : 'reserved:world';
  }

  #make(key: string, labels: readonly string[], names: readonly string[], gap?: Gap): Identity {
    const known = this.#made.get(key);
    if (known) return known;
    const made = identityOf(this.#next--, labels, names, gap);
    this.#made.set(key, made);
    return made;
  }
}

function nameOf({ namespace, name }: PodObject): string {
  return `${namespace}/${name}`;
}

/** Addresses that clusters use for pods and services. */
const PRIVATE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  'fc00::/7',
  'fe80::/10',
].flatMap((text) => parseRange(text) ?? []);

function isPrivate(range: AddressRange): boolean {
  return PRIVATE.some((block) => contains(block, range));
}

/** `192.0.2.1`, `192.0.2.0/24`, or either as the label of a block has it: `cidr:192.0.2.0/24`, `cidr:2001-db8--/32`. */
function addressOf(text: string): string | undefined {
  const bare = text.startsWith('cidr:') ? text.slice(5).replaceAll('-', ':') : text;
  return parseRange(bare) ? bare : undefined;
}

/** `8080`, `8080/TCP`, `TCP/8080`, `ICMP/8`, `any`. */
export function parsePort(text: string): { protocol: number | undefined; port: number | undefined } {
  const [first = '', second] = text.split('/');
  const [port, protocol] =
    second !== undefined && /^\d+$/.test(second) ? [second, first] : [first, second ?? 'TCP'];
  const number = protocolNumber(protocol);
  if (!/^\d+$/.test(port) || Number(port) > 65_535 || number === undefined || number === 0)
    throw new UserError(`"${text}" is not a valid port`, {
      hint: 'Write PORT/PROTOCOL: 8080/TCP, 53/UDP, 8/ICMP.',
    });
  return { protocol: number, port: Number(port) };
}
