import { dropMeaning } from '../../model/drop-meaning.ts';
import {
  type Count,
  type Drop,
  REFUSED_BY_PROXY,
  type TrafficEdge,
  type TrafficNode,
} from '../../model/traffic.ts';
import type { Fix, PolicyDecision } from '../../model/traffic-report.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { decidedBy, nodeText, reasonText } from './traffic.ts';

/** Something that went wrong between two ends, in words. Names in them are safe to print. */
export interface Finding {
  kind: 'drop' | 'http' | 'dns';
  client: string;
  server: string;
  /** Number of the drop on its edge. */
  drop: number | undefined;
  /** Who could not do what. */
  what: string;
  /** What caused it, as far as that is known. */
  why: string;
  /** How often and when. */
  seen: string;
  /** Where to look further: a command line and what it shows. */
  look: { command: string; at: string } | undefined;
}

/** What findings are made of. */
export interface FindingSource {
  nodes: readonly TrafficNode[];
  edges: readonly TrafficEdge[];
  fixes: readonly Fix[];
  /** Where the time that they are of begins and ends; undefined where that says nothing. */
  firstMs: number | undefined;
  lastMs: number | undefined;
  /** Whether it is a part of the time that was captured. */
  isPeriod?: boolean;
}

/**
 * How much a finding matters: a client that has no DNS, which then finds nothing at all; what looks like a fault; what may be
 * meant; what is seen where all is well.
 */
const Rank = { Dns: 0, Fault: 1, MayBeMeant: 2, Usual: 3 } as const;
type Rank = (typeof Rank)[keyof typeof Rank];

interface Ranked {
  rank: Rank;
  flows: number;
  isPolicy: boolean;
  /** The end that it is about: others of the same end follow it. */
  victim: string;
  finding: Finding;
}

/** What went wrong, what matters most first. */
export function findingsOf({ nodes, edges, fixes, ...time }: FindingSource): Finding[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const name = (id: string) => {
    const node = known.get(id);
    return node ? nodeText(node) : 'unknown';
  };
  const answered = new Set(edges.filter(isAnsweredDns).map(({ client }) => client));
  const all = edges.flatMap((edge) => [
    ...edge.drops.flatMap((drop, i) => {
      if (edge.dropped === 0 || drop.flows === 0) return [];
      const fix = fixes.find(
        (each) => each.client === edge.client && each.server === edge.server && each.drop === i,
      );
      return [droppedFlows({ edge, drop, i, fix, name, time, hasDns: answered.has(edge.client) })];
    }),
    ...httpErrors(edge, name),
    ...dnsFailures(edge, name),
  ]);
  const ranked = all.sort(
    (a, b) => a.rank - b.rank || b.flows - a.flows || (a.finding.what < b.finding.what ? -1 : 1),
  );
  return byVictim(ranked).map(({ finding }) => finding);
}

/** What is wrong with one end stands together, policy first; what may be meant or is usual stays behind all faults. */
function byVictim(ranked: readonly Ranked[]): Ranked[] {
  const isWrong = ({ rank }: Ranked) => rank <= Rank.Fault;
  const rest = ranked.filter(isWrong);
  const grouped: Ranked[] = [];
  for (let first = rest[0]; first; first = rest[0]) {
    const { victim } = first;
    const group = rest.filter(({ finding }) => finding.client === victim || finding.server === victim);
    grouped.push(...group.toSorted((a, b) => a.rank - b.rank || Number(b.isPolicy) - Number(a.isPolicy)));
    for (const each of group) rest.splice(rest.indexOf(each), 1);
  }
  return [...grouped, ...ranked.filter((each) => !isWrong(each))];
}

/** Said of what is not known of the part of the time that is shown. */
export const IN_ALL = ' in the whole time';

type Time = Pick<FindingSource, 'firstMs' | 'lastMs' | 'isPeriod'>;

interface DropPlace {
  edge: TrafficEdge;
  drop: Drop;
  i: number;
  fix: Fix | undefined;
  name: (id: string) => string;
  time: Time;
  /** Whether DNS answered the client, there or elsewhere. */
  hasDns: boolean;
}

const DNS_PORT = /^53\//;

function isAnsweredDns({ ports, replies, dns }: TrafficEdge): boolean {
  const passed = ports.some((port) => DNS_PORT.test(port.name) && port.flows > port.dropped);
  return passed && (replies > 0 || (dns?.responses ?? 0) > 0);
}

function droppedFlows({ edge, drop, i, fix, name, time, hasDns }: DropPlace): Ranked {
  const { client, server } = edge;
  const [from, to] = [name(client), name(server)];
  const isDns = DNS_PORT.test(drop.port);
  const port = `${sanitizeCell(drop.port)}${isDns ? ' (DNS)' : ''}`;
  const what = isRest(drop)
    ? `Flows of ${from} to ${to} were dropped on more ports or for more reasons than are told apart`
    : gotThrough(edge, drop)
      ? `Flows of ${from} to ${to} on ${port} were dropped`
      : `${from} could not reach ${to} on ${port}`;
  const meaning = dropMeaning(drop.reason);
  const rank = rankOf(drop, fix?.decision, isDns && !hasDns);
  const why = [
    whyDropped(drop, fix),
    ...(rank === Rank.Dns
      ? [
          'No DNS server answered it in these flows: connections to names that it could not look up are missing here.',
        ]
      : []),
    ...(meaning?.isUsual ? ['This is seen in clusters where nothing is wrong.'] : []),
  ];
  return {
    rank,
    flows: drop.flows,
    isPolicy: drop.reason === 'POLICY_DENIED' || drop.reason === 'POLICY_DENY',
    victim: drop.direction === 'ingress' ? server : client,
    finding: {
      ...{ kind: 'drop', client, server, drop: i, what },
      why: why.join(' '),
      seen: `${drop.flows} ${drop.flows === 1 ? 'flow' : 'flows'} dropped${drop.isWhole ? IN_ALL : ''} (${reasonText(drop.reason)})${timeText(drop, time)}`,
      look: meaning?.look && { command: `cilium ${meaning.look.verb}`, at: meaning.look.at },
    },
  };
}

/** Whether a drop stands for those that there was no room for. */
function isRest({ reason, port }: Drop): boolean {
  return reason === 'others' && port === 'others';
}

/** Whether something of what was dropped here may have reached its end all the same. */
function gotThrough({ replies, ports }: TrafficEdge, { port }: Drop): boolean {
  const own = ports.find(({ name }) => name === port);
  return replies > 0 && !(own !== undefined && own.flows > 0 && own.dropped === own.flows);
}

function rankOf({ reason, policies }: Drop, decision: PolicyDecision | undefined, lacksDns: boolean): Rank {
  if (dropMeaning(reason)?.isUsual) return Rank.Usual;
  const isDenied = reason === 'POLICY_DENY' || policies.length > 0 || decision?.answer === 'denied';
  if (isDenied || reason === REFUSED_BY_PROXY || reason === 'AUTH_REQUIRED') return Rank.MayBeMeant;
  return reason === 'POLICY_DENIED' && lacksDns ? Rank.Dns : Rank.Fault;
}

/** The cause of a drop in words, and what of it is not known. */
export function whyDropped(drop: Drop, fix: Fix | undefined): string {
  const { decision, why } = fix ?? {};
  if (decision) {
    const [by, subject] = [decision.by.map(sanitizeCell).join(' and '), sanitizeCell(decision.subject)];
    const way = decision.direction === 'egress' ? 'Egress' : 'Ingress';
    return decision.answer === 'closed'
      ? `${way} of ${subject} is closed by ${by}, and no rule opens it for this traffic.`
      : `Denied by ${by}, for ${decision.direction} of ${subject}. If that is meant, nothing is wrong.`;
  }
  if (why === undefined && drop.reason === 'POLICY_DENIED' && drop.policies.length === 0)
    return `${decidedBy(drop)} A report with --state or --rules says which.`;
  return why === undefined ? decidedBy(drop) : sanitizeCell(`${capital(why)}${why.endsWith('.') ? '' : '.'}`);
}

const CODES: Readonly<Record<string, string>> = {
  '502': 'A proxy on the way got no proper answer from what is behind it.',
  '503': 'The server, or a proxy before it, had nobody to serve the request.',
  '504': 'A proxy on the way got no answer in time from what is behind it.',
};

function httpErrors({ client, server, http }: TrafficEdge, name: (id: string) => string): Ranked[] {
  if (!http) return [];
  return [
    { errors: codesFrom(http.codes, 500), rank: Rank.Fault },
    { errors: codesFrom(http.codes, 400), rank: Rank.MayBeMeant },
  ].flatMap(({ errors, rank }) => {
    if (errors.length === 0) return [];
    const codes = errors.map((code) => sanitizeCell(code.name));
    const flows = errors.reduce((sum, code) => sum + code.flows, 0);
    const is403 = codes.includes('403');
    const why = [
      ...(rank === Rank.Fault
        ? ['The answer comes from the server or a proxy, not from the network: look into their logs.']
        : ['The request was not right, or not allowed, in the eyes of who answered.']),
      ...codes.flatMap((code) => (Object.hasOwn(CODES, code) ? [CODES[code] ?? ''] : [])),
      ...(is403 ? ['403 is also what Cilium answers where no rule for HTTP allows a request.'] : []),
    ];
    return [
      {
        ...{ rank, flows, isPolicy: false, victim: server },
        finding: {
          ...{ kind: 'http' as const, client, server, drop: undefined, look: undefined },
          what: `${name(server)} answered ${name(client)} with errors (HTTP ${codes.join(', ')})`,
          why: why.join(' '),
          seen: `${flows} of ${http.responses} answers${errors.some(({ isWhole }) => isWhole) ? IN_ALL : ''}`,
        },
      },
    ];
  });
}

/** The codes of one hundred. */
function codesFrom(codes: readonly Count[], first: number): Count[] {
  return codes.filter(({ name }) => Number(name) >= first && Number(name) < first + 100);
}

/** What answers of DNS mean that are no addresses. */
function dnsMeaning(failure: string): { rank: Rank; why: string } {
  const [code = '', name = ''] = failure.split(' ');
  if (code === 'NXDOMAIN')
    return isSearched(name)
      ? {
          rank: Rank.Usual,
          why: 'The name is one that the search list of a pod makes of another: most likely the next try succeeded.',
        }
      : {
          rank: Rank.MayBeMeant,
          why: 'The server of DNS knows no such name. A pod tries a short name with each domain of its search list, where such answers are no fault.',
        };
  if (code === 'REFUSED')
    return {
      rank: Rank.Fault,
      why: "The server of DNS refuses to answer. Cilium's own proxy does so where no rule for DNS allows the name.",
    };
  if (code === 'SERVFAIL')
    return {
      rank: Rank.Fault,
      why: 'The server of DNS could not find out: look at it, and at the servers that it asks in turn.',
    };
  return { rank: Rank.MayBeMeant, why: 'The server of DNS gave no address.' };
}

/** Whether a name is one of another domain with the domain of the cluster behind it; `db-0.db` is a pod's own name. */
function isSearched(name: string): boolean {
  const inside = /^(.+?)\.(?:[^.]+\.)?svc\.cluster\.local\.?$/.exec(name)?.[1];
  return inside === undefined ? /\.cluster\.local\.?$/.test(name) : inside.split('.').length > 2;
}

function dnsFailures({ client, server, dns }: TrafficEdge, name: (id: string) => string): Ranked[] {
  return (dns?.failures ?? []).map((failure) => {
    const { rank, why } = dnsMeaning(failure.name);
    const [code = '', ...asked] = failure.name.split(' ');
    return {
      ...{ rank, flows: failure.flows, isPolicy: false, victim: client },
      finding: {
        ...{ kind: 'dns' as const, client, server, drop: undefined, look: undefined, why },
        what: `${name(client)} got no address for ${sanitizeCell(asked.join(' ')) || 'a name'} (DNS ${sanitizeCell(code)})`,
        seen: `${failure.flows} ${failure.flows === 1 ? 'answer' : 'answers'} of ${name(server)}${failure.isWhole ? IN_ALL : ''}`,
      },
    };
  });
}

/** Flows seen until nearly the end are taken to go on. */
const GOES_ON_MS = 5_000;

/**
 * Drops from the first second on are taken to have been there before, and those that come no later than some of their own gaps: of
 * them it is not known when they began.
 */
const BEGINS_WITH_MS = 1_000;
const GAPS = 3;

function timeText(
  { flows, firstMs, lastMs }: Drop,
  { firstMs: beginMs, lastMs: endMs, isPeriod }: Time,
): string {
  const [first, last] = [clock(firstMs), clock(lastMs)];
  if (first === undefined || last === undefined) return '';
  const isLong = lastMs - firstMs > GOES_ON_MS;
  const goesOn = isLong && endMs !== undefined && endMs - lastMs < GOES_ON_MS;
  const late = Math.max(BEGINS_WITH_MS, (GAPS * (lastMs - firstMs)) / flows);
  if (isLong && beginMs !== undefined && firstMs - beginMs < late) {
    const whole = isPeriod ? 'the part shown' : 'the capture';
    if (isPeriod && goesOn) return ', through all of the part shown';
    return `, already so when ${whole} begins (${clock(beginMs)} UTC), ${goesOn ? 'and still at its end' : `until ${last} UTC`}`;
  }
  if (goesOn) return `, since ${first} UTC and still at the end`;
  return first === last ? `, at ${first} UTC` : `, from ${first} to ${last} UTC`;
}

/** In JSON a drop without a time has null. */
function clock(ms: number | null): string | undefined {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString().slice(11, 19);
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
