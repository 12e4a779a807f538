import { formatRange } from '../../lib/address.ts';
import { compareBytes } from '../../lib/order.ts';
import { POD_ACCOUNT, POD_CLUSTER, POD_NAMESPACE } from '../../model/label.ts';
import type { Connection } from '../evaluate/decide/connections.ts';
import { type Identity, isReserved, isVague } from '../evaluate/selectors/identities.ts';
import type { Entity } from '../rule.ts';
import type { FlowTable, Observed } from './flow-table.ts';
import { LabelSorter } from './lasting-labels.ts';
import {
  type Named,
  type PeerName,
  policyOf,
  type Subject,
  type SuggestedPolicy,
  selectorOf,
} from './suggested-policy.ts';
import { remarksOn, shortLabel, whyUnnamed } from './suggestion-remarks.ts';

/** A policy with what its reader must know of it. */
export interface Suggestion {
  policy: SuggestedPolicy;
  /** One sentence each. */
  remarks: string[];
}

/** What `policy suggest` answers. */
export interface Suggestions {
  suggestions: Suggestion[];
  /** Workloads with traffic that no lasting label selects: no policy is written for them. One sentence each. */
  unnamed: { namespace: string; why: string }[];
  /** Keys of labels that change from run to run and are left out, by the workload (`jobs app=hello`). */
  left: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * The smallest policies that allow every connection that was allowed: one per workload, with peers by label, DNS name,
 * entity or address, and only the ports that were used. Directions with traffic get default deny. Labels that change
 * from run to run select nothing tomorrow and are left out, which makes one workload of its runs.
 */
export function suggest(table: FlowTable): Suggestions {
  return new Suggester(table).answer();
}

/** One side of a connection: whose policy it is for, and what that calls the other side. */
interface End {
  subject: Subject;
  direction: Direction;
  peer: PeerName;
  /** Equal for equal peers. */
  key: string;
}

type Direction = 'ingress' | 'egress';
type Ends = Readonly<Record<Direction, End | undefined>>;

class Suggester {
  readonly #subjects = new Map<string, Subject>();
  readonly #unnamed = new Map<string, { namespace: string; why: string }>();
  readonly #left = new Map<string, Set<string>>();
  readonly #sorter: LabelSorter;
  readonly #ends = new Map<Identity, Map<Identity, Ends>>();

  constructor(readonly table: FlowTable) {
    this.#sorter = new LabelSorter(workloadsIn(table));
  }

  answer(): Suggestions {
    for (const observed of this.table.connections) this.#learn(observed);
    const taken = new Set<string>();
    const suggestions = [...this.#subjects.values()]
      .map((subject) => ({ policy: policyOf(subject, taken), remarks: remarksOn(subject) }))
      .sort(
        ({ policy: { metadata: a } }, { policy: { metadata: b } }) =>
          compareBytes(a.namespace, b.namespace) || compareBytes(a.name, b.name),
      );
    return { suggestions, unnamed: [...this.#unnamed.values()], left: this.#left };
  }

  #learn(observed: Observed): void {
    const { connection, denied, allowed } = observed;
    const source = this.table.named(connection.source);
    const destination = this.table.named(connection.destination);
    const passed = denied === 0 && allowed > 0;
    if (!passed && denied === 0) {
      if (observed.unsaid > 0) this.#leaveOutUnsaid(source);
      return;
    }
    // A rule could name neither end, and an address of a service is none that policy sees.
    const gap = [source, destination].find(isVague);
    if (gap) this.#leaveOut(gap);
    if (gap || connection.balanced) return;
    const { egress, ingress } = this.#endsOf(source, destination, connection);
    if (egress) note(egress, observed, passed);
    if (ingress) note(ingress, observed, passed);
  }

  /** Connections between two ends are many. */
  #endsOf(source: Identity, destination: Identity, { sourcePod, destinationPod }: Connection): Ends {
    const ofSource = this.#ends.get(source) ?? new Map<Identity, Ends>();
    this.#ends.set(source, ofSource);
    const known = ofSource.get(destination);
    if (known) return known;
    const ends = {
      egress: isWorkload(source)
        ? this.#end(source, sourcePod, 'egress', () => this.#peerName(source, destination, true))
        : undefined,
      ingress: isWorkload(destination)
        ? this.#end(destination, destinationPod, 'ingress', () => this.#peerName(destination, source, false))
        : undefined,
    };
    ofSource.set(destination, ends);
    return ends;
  }

  #end(
    identity: Identity,
    pod: string | undefined,
    direction: Direction,
    peerOf: () => PeerName,
  ): End | undefined {
    const subject = this.#subjectOf(identity, pod);
    if (!subject) return undefined;
    const peer = peerOf();
    return { subject, direction, peer, key: JSON.stringify(peer) };
  }

  #leaveOutUnsaid({ byKey }: Identity): void {
    const why = 'Some flows are left out: they have no verdict. Record them with verdict in the field mask.';
    this.#unnamed.set(why, { namespace: byKey.get(POD_NAMESPACE)?.value ?? 'default', why });
  }

  #leaveOut({ byKey, gap }: Identity): void {
    const namespace = byKey.get(POD_NAMESPACE)?.value ?? 'default';
    const why = `Some flows are left out: ${gap?.why}. Record them with source.labels and destination.labels in the field mask, or name the pods with --state.`;
    this.#unnamed.set(why, { namespace, why });
  }

  #subjectOf(identity: Identity, pod: string | undefined): Subject | undefined {
    const name = this.#name(identity);
    const namespace = identity.byKey.get(POD_NAMESPACE)?.value ?? 'default';
    const key = JSON.stringify(selectorOf(name, namespace, undefined));
    // The account "default" is that of all pods which have none of their own.
    if (name.by === 'namespace' || (name.by === 'account' && name.labels[0]?.value === 'default')) {
      this.#unnamed.set(key, { namespace, why: whyUnnamed(name, namespace, pod) });
      return undefined;
    }
    const known = this.#subjects.get(key);
    if (known) return known;
    const subject: Subject = { name, namespace };
    this.#subjects.set(key, subject);
    return subject;
  }

  /** By its own lasting labels, else by its service account. */
  #name(identity: Identity): Named {
    const { lasting, passing } = this.#sorter.sort(identity);
    const account = identity.byKey.get(POD_ACCOUNT);
    const named: Named =
      lasting.length > 0
        ? { by: 'labels', labels: lasting, passing }
        : account
          ? { by: 'account', labels: [account], passing }
          : { by: 'namespace', labels: [], passing };
    if (passing.length > 0) {
      const namespace = identity.byKey.get(POD_NAMESPACE)?.value ?? 'default';
      const left = [namespace, ...named.labels.map(shortLabel)].join(' ');
      const keys = this.#left.get(left) ?? new Set();
      for (const { key } of passing) keys.add(key);
      this.#left.set(left, keys);
    }
    return named;
  }

  #peerName(
    subject: Identity,
    peer: Identity,
    /** Ingress rules cannot name peers by DNS. */
    byName: boolean,
  ): PeerName {
    const entity = ENTITIES.find((each) => isReserved(peer, each));
    if (entity) return { kind: 'entity', entity };
    if (isWorkload(peer)) {
      const own = peer.byKey.get('k8s-app')?.value;
      const name = this.#name(peer);
      return {
        kind: 'labels',
        selector: selectorOf(
          name,
          peer.byKey.get(POD_NAMESPACE)?.value,
          subject.byKey.get(POD_NAMESPACE)?.value,
          otherCluster(peer, subject),
        ),
        dns: own === 'kube-dns' || own === 'coredns',
        byAccount: name.by !== 'labels',
      };
    }
    const [block] = peer.prefixes;
    const cidr =
      block && peer.labels.some(({ source }) => source === 'cidr') ? formatRange(block) : undefined;
    const name = byName && peer.names[0];
    if (name) return { kind: 'name', name };
    return cidr ? { kind: 'cidr', cidr } : { kind: 'entity', entity: 'world' };
  }
}

/** Agents from 1.19 on select only pods of the own cluster unless the selector says which. */
function otherCluster(peer: Identity, subject: Identity): string | undefined {
  const [own, other] = [subject, peer].map(({ byKey }) => byKey.get(POD_CLUSTER)?.value);
  return own !== undefined && other !== own ? other : undefined;
}

function* workloadsIn(table: FlowTable): Generator<[Identity, string | undefined]> {
  for (const { connection } of table.connections) {
    yield [table.named(connection.source), connection.sourceWorkload];
    yield [table.named(connection.destination), connection.destinationWorkload];
  }
}

function isWorkload(identity: Identity): boolean {
  return identity.byKey.has(POD_NAMESPACE) && !isReserved(identity, 'init');
}

function note({ subject, direction, peer, key }: End, observed: Observed, passed: boolean): void {
  const side = subject[direction] ?? { peers: new Map() };
  subject[direction] = side;
  if (!passed) return;
  const known = side.peers.get(key) ?? { peer, ports: new Map<string, Observed>(), flows: 0 };
  const { protocol, port } = observed.connection.traffic;
  known.ports.set(`${protocol}/${port}`, observed);
  known.flows += observed.allowed;
  side.peers.set(key, known);
}

const ENTITIES: readonly Entity[] = [
  'host',
  'kube-apiserver',
  'remote-node',
  'health',
  'ingress',
  'init',
  'unmanaged',
];
