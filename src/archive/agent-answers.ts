import { contains, parsePrefix } from '../lib/address.ts';
import { formatJson, parseJson } from '../lib/exact-json.ts';
import { compareBytes } from '../lib/order.ts';
import { isRecord } from '../lib/record.ts';

/** An answer of an agent, as it was or as it would have been. */
export interface RecordedAnswer {
  status: number;
  type: string;
  body: Buffer;
}

/** The answer that was recorded of a path, and of a question with it. */
export type Lookup = (path: string, question?: string) => Promise<RecordedAnswer | undefined>;

/** The path of a request in one form: the order of its query does not matter. */
export function samePath(path: string): string {
  const at = path.indexOf('?');
  if (at < 0) return path;
  const query = new URLSearchParams(path.slice(at + 1));
  query.sort();
  return query.size === 0 ? path.slice(0, at) : `${path.slice(0, at)}?${query}`;
}

type Member = Record<string, unknown>;

/** An answer that follows from a list. */
interface Derived {
  pattern: RegExp;
  list: string;
  members(value: unknown): unknown;
  pick(members: readonly Member[], id: string): unknown;
}

const itself = (value: unknown) => value;
const single =
  (isMeant: (member: Member, id: string) => boolean) => (members: readonly Member[], id: string) =>
    members.find((member) => isMeant(member, id));
const hasNumber = (member: Member, id: string) =>
  at(member, 'spec', 'id') === id || at(member, 'status', 'realized', 'id') === id;
const several = (found: readonly Member[]) => (found.length === 0 ? undefined : found);

/** Lists, and the answers that follow from them; the number or the name in a path comes first in its pattern. */
const DERIVED: readonly Derived[] = [
  { pattern: /^\/v1\/endpoint\/([^/?]+)$/, list: '/v1/endpoint', members: itself, pick: single(isEndpoint) },
  {
    pattern: /^\/v1\/endpoint\/([^/?]+)\/healthz$/,
    list: '/v1/endpoint',
    members: itself,
    pick: (members, id) => {
      const status = members.find((member) => isEndpoint(member, id))?.status;
      return isRecord(status) ? status.health : undefined;
    },
  },
  {
    pattern: /^\/v1\/identity\/(\d+)$/,
    list: '/v1/identity',
    members: itself,
    pick: single((member, id) => String(member.id) === id),
  },
  { pattern: /^\/v1\/service\/(\d+)$/, list: '/v1/service', members: itself, pick: single(hasNumber) },
  { pattern: /^\/v1\/recorder\/(\d+)$/, list: '/v1/recorder', members: itself, pick: single(hasNumber) },
  {
    pattern: /^\/v1\/map\/([^/?]+)$/,
    list: '/v1/map',
    members: (value) => (isRecord(value) ? value.maps : undefined),
    pick: single((member, id) => String(member.path ?? '').endsWith(`/${id}`)),
  },
  {
    pattern: /^\/v1\/fqdn\/cache\/(\d+)$/,
    list: '/v1/fqdn/cache',
    members: itself,
    pick: (members, id) => several(members.filter((member) => String(member['endpoint-id']) === id)),
  },
  {
    pattern: /^\/v1\/ip\?cidr=([^&]+)$/,
    list: '/v1/ip',
    members: itself,
    pick: (members, id) => {
      const range = parsePrefix(id);
      return several(
        members.filter(({ cidr }) => {
          const inner = parsePrefix(String(cidr));
          return range !== undefined && inner !== undefined && contains(range, inner);
        }),
      );
    },
  },
];

/** Parts of the debugging information that are answers of their own. */
const PARTS: Readonly<Record<string, string>> = {
  '/v1/healthz': 'cilium-status',
  '/v1/endpoint': 'endpoint-list',
  '/v1/service': 'service-list',
  '/v1/policy': 'policy',
};

/**
 * The answer to a GET request: the one that was recorded, else one that follows from another that was. Undefined where
 * neither is there.
 */
export async function answerOf(
  path: string,
  question: string | undefined,
  recorded: Lookup,
): Promise<RecordedAnswer | undefined> {
  const asked = samePath(path);
  if (question !== undefined)
    return (await recorded(asked, question)) ?? (await rowsOf(asked, question, recorded));
  const direct = (await recorded(asked)) ?? (await partOf(asked, recorded));
  if (direct) return direct;
  for (const { pattern, list: listPath, members: membersOf, pick } of DERIVED) {
    const id = pattern.exec(asked)?.[1];
    if (id === undefined) continue;
    const list = (await recorded(listPath)) ?? (await partOf(listPath, recorded));
    // What the list would have said of a member is not known.
    if (list?.status !== 200) return undefined;
    const members = membersOf(jsonOf(list));
    if (!Array.isArray(members)) return undefined;
    const found = pick(members.filter(isRecord), decodeURIComponent(id.replaceAll('+', ' ')));
    return found === undefined ? { status: 404, type: '', body: Buffer.alloc(0) } : json(found);
  }
  return undefined;
}

/** Rows of a table of the agent's database, out of the dump of all of them. */
async function rowsOf(path: string, question: string, recorded: Lookup): Promise<RecordedAnswer | undefined> {
  if (path !== '/statedb/query') return undefined;
  const asked = jsonOf({ body: Buffer.from(question) });
  const dump = (await recorded('/statedb/dump')) ?? (await recorded('/v1/statedb/dump'));
  if (dump?.status !== 200 || !isRecord(asked) || asked.table !== 'health') return undefined;
  const tables = jsonOf(dump);
  const rows = isRecord(tables) ? tables.health : undefined;
  if (!Array.isArray(rows)) return undefined;
  const from = Buffer.from(String(asked.key ?? ''), 'base64').toString('utf8');
  const text = rows
    .map((row) => ({ row, name: moduleOf(row) }))
    .filter(({ name }) => name >= from)
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ row }) => `${formatJson({ obj: row })}\n`)
    .join('');
  return { status: 200, type: 'application/json', body: Buffer.from(text) };
}

function moduleOf(row: unknown): string {
  const id = isRecord(row) && isRecord(row.ID) ? row.ID : {};
  return [id.Module, id.Component].flat().filter(Boolean).join('.');
}

async function partOf(path: string, recorded: Lookup): Promise<RecordedAnswer | undefined> {
  const name = PARTS[path];
  if (name === undefined) return undefined;
  const info = await recorded('/v1/debuginfo');
  const value = info?.status === 200 ? jsonOf(info) : undefined;
  const part = isRecord(value) ? value[name] : undefined;
  return part === undefined || part === null ? undefined : json(part);
}

function jsonOf({ body }: Pick<RecordedAnswer, 'body'>): unknown {
  try {
    return parseJson(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function json(value: unknown): RecordedAnswer {
  return { status: 200, type: 'application/json', body: Buffer.from(`${formatJson(value) ?? 'null'}\n`) };
}

function at(member: unknown, ...names: readonly string[]): string | undefined {
  let value: unknown = member;
  for (const name of names) value = isRecord(value) ? value[name] : undefined;
  return value === undefined || value === null ? undefined : String(value);
}

/** The names that an endpoint has beside its number. */
function isEndpoint(member: Record<string, unknown>, id: string): boolean {
  if (/^\d+$/.test(id)) return String(member.id) === id;
  const colon = id.indexOf(':');
  const [kind, value] = [id.slice(0, colon), id.slice(colon + 1)];
  if (kind === 'cilium-local') return String(member.id) === value;
  const of = (...names: readonly string[]) => at(member, 'status', ...names);
  const [container, pod, namespace] = [
    of('external-identifiers', 'container-id'),
    of('external-identifiers', 'k8s-pod-name') ?? of('external-identifiers', 'pod-name')?.split('/')[1],
    of('external-identifiers', 'k8s-namespace') ?? of('external-identifiers', 'pod-name')?.split('/')[0],
  ];
  if (kind === 'container-id') return container === value;
  if (kind === 'container-name') return of('external-identifiers', 'container-name') === value;
  if (kind === 'pod-name' || kind === 'cep-name')
    return [`${namespace}:${pod}`, `${namespace}/${pod}`].includes(value) && pod !== undefined;
  const status = isRecord(member.status) ? member.status : {};
  const networking = isRecord(status.networking) ? status.networking : {};
  const addresses = Array.isArray(networking.addressing) ? networking.addressing : [];
  return addresses.some(
    (address) => isRecord(address) && ['ipv4', 'ipv6'].includes(kind) && address[kind] === value,
  );
}
