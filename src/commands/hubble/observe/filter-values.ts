import { UserError } from '../../../errors.ts';
import { enumType } from '../../../hubble/protobuf/schema.ts';
import { parseGoUint } from '../../../lib/go-integer.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { knownNames } from '../../../lib/nearest.ts';
import { AGENT_SUBTYPES, EVENT_TYPES, TCP_FLAGS } from '../../../model/flow-words.ts';
import type {
  DropReason,
  EventTypeFilter,
  FlowFilter,
  IPVersion,
  TCPFlags,
  Verdict,
} from '../../../model/hubble.gen.ts';
import { RESERVED_IDENTITIES } from '../../../model/reserved-identity.ts';
import { TRACE_POINTS } from '../../../model/trace-point.ts';

/** Turns the text of a flag into what a filter holds. Throws UserError with the reference's words. */
export type ValueParser = (text: string) => unknown;

export const text: ValueParser = (value) => value;

/** `TYPE[:SUBTYPE]`, each a name or a number. */
export function eventType(value: string): EventTypeFilter {
  const at = value.indexOf(':');
  const name = at === -1 ? value : value.slice(0, at);
  const named = Object.hasOwn(EVENT_TYPES, name) ? EVENT_TYPES[name] : undefined;
  const type =
    named ??
    decimal(
      name,
      `unable to parse type '${name}', not a known type name and unable to parse as numeric value`,
      Object.keys(EVENT_TYPES),
    );
  if (at === -1) return { type };
  const subName = value.slice(at + 1);
  const names = name === 'trace' ? TRACE_POINTS : name === 'agent' ? AGENT_SUBTYPES : [];
  const known = names.indexOf(subName);
  const subType =
    known !== -1
      ? known
      : decimal(
          subName,
          `unable to parse event sub-type '${subName}', not a known sub-type name and unable to parse as numeric value`,
          names,
        );
  return { type, match_sub_type: true, sub_type: subType };
}

function decimal(value: string, what: string, names: readonly string[]): number {
  const fail = (why: string) =>
    new UserError(`${what}: strconv.ParseUint: parsing ${goQuote(value)}: ${why}`, {
      hint: names.length > 0 ? knownNames(value, names) : undefined,
    });
  if (!/^\d+$/.test(value)) throw fail('invalid syntax');
  const number = Number(value);
  if (number > 0xffff_ffff) throw fail('value out of range');
  // The field is signed.
  return number | 0;
}

const VERDICTS = ['FORWARDED', 'DROPPED', 'AUDIT', 'REDIRECTED', 'ERROR', 'TRACED', 'TRANSLATED'];

export function verdict(value: string): Verdict {
  if (!enumType('flow.Verdict').numbers.has(value))
    throw new UserError(`invalid --verdict value: ${value}`, { hint: knownNames(value, VERDICTS) });
  return value as Verdict;
}

export function dropReason(value: string): DropReason {
  if (value === '') throw new UserError('empty --drop-reason-desc value');
  if (!enumType('flow.DropReason').numbers.has(value))
    throw new UserError(`invalid --drop-reason-desc value: ${value}`, {
      hint: 'Reasons are written as in -o json, for example POLICY_DENIED.',
    });
  return value as DropReason;
}

/** A list of flags that must all be set. */
export function tcpFlags(value: string): TCPFlags {
  const wanted = value.split(',').map((name) => {
    const flag = TCP_FLAGS.find((known) => known === name.toUpperCase());
    if (flag === undefined)
      throw new UserError(`unknown tcp flag: ${name}`, { hint: `Known are ${TCP_FLAGS.join(', ')}.` });
    return flag;
  });
  return Object.fromEntries(TCP_FLAGS.filter((flag) => wanted.includes(flag)).map((flag) => [flag, true]));
}

export function httpHeader(value: string): { key: string; value: string } {
  const at = value.indexOf(':');
  if (at === -1) throw new UserError(`invalid http-header value ${goQuote(value)}, expected name:value`);
  return { key: value.slice(0, at), value: value.slice(at + 1) };
}

export function ipTraceId(value: string): string {
  const fail = (why: string) =>
    new UserError(`invalid --ip-trace-id value: strconv.ParseUint: parsing ${goQuote(value)}: ${why}`);
  if (value === '0') throw new UserError('invalid --ip-trace-id value; must be greater than 0');
  if (!/^\d+$/.test(value)) throw fail('invalid syntax');
  const id = BigInt(value);
  if (id > 0xffff_ffff_ffff_ffffn) throw fail('value out of range');
  return String(id);
}

export function ipVersion(value: string): IPVersion {
  switch (value.toLowerCase()) {
    case '4':
    case 'v4':
    case 'ipv4':
    case 'ip4':
      return 'IPv4';
    case '6':
    case 'v6':
    case 'ipv6':
    case 'ip6':
      return 'IPv6';
    default:
      return 'IP_NOT_USED';
  }
}

/** `[Kind/]name`. */
export function workload(value: string): { name?: string; kind?: string } {
  const at = value.indexOf('/');
  const [kind, name] = at === -1 ? ['', value] : [value.slice(0, at), value.slice(at + 1)];
  return { ...(name && { name }), ...(kind && { kind }) };
}

/** Reserved identities as the reference lists them in its error. */
const IDENTITY_NAMES = [...RESERVED_IDENTITIES.slice(1, 11), '11'];

export function identity(value: string): number {
  const named = RESERVED_IDENTITIES.indexOf(value);
  // 0 is what is not known, and has no name.
  if (named > 0) return named;
  const number = parseGoUint(value);
  if (number !== undefined && number <= 0xffff_ffffn) return Number(number);
  throw new UserError(
    `invalid security identity, expected one of [${IDENTITY_NAMES.join(' ')}] or a numeric value`,
  );
}

export function trafficDirection(
  value: string,
): FlowFilter['traffic_direction'] extends (infer D)[] | undefined ? D : never {
  const direction = value.toUpperCase();
  if (direction === 'INGRESS' || direction === 'EGRESS') return direction;
  throw new UserError(`${value.toLowerCase()}: invalid traffic direction, expected ingress or egress`);
}

export function interfaceName(value: string): { name: string } {
  return { name: value };
}
