import type { EventTypeFilter, FlowFilter } from '../../model/hubble.gen.ts';
import { resolveField } from './evaluate.ts';
import { eventTypeNumber, type ResolvedField } from './fields.ts';
import type { Expression } from './parse.ts';

/** What of an expression a server can do, and what is left for us. */
export interface WherePlan {
  /** Filters that let through at least every flow that the expression means. */
  allow: FlowFilter[];
  deny: FlowFilter[];
  /** True when the filters say the same as the expression: nothing is left to evaluate here. */
  exact: boolean;
  /** Paths that the rest reads: a request's field mask must hold them. */
  paths: string[];
}

/** More alternatives than this are not worth a server's time: everything is fetched then. */
const MOST_ALTERNATIVES = 16;
const EVENT_L7 = 129;

type Test = Extract<Expression, { kind: 'test' | 'has' }>;
interface Literal {
  test: Test;
  negated: boolean;
}

/** Splits an expression into server filters and the rest. */
export function planWhere(expression: Expression, source: string): WherePlan {
  const paths = [...new Set(fieldsIn(expression, source).flatMap((field) => field.paths))];
  const alternatives = disjuncts(expression, false);
  if (!alternatives || alternatives.length > MOST_ALTERNATIVES)
    return { allow: [], deny: [], exact: false, paths };
  const only = alternatives.length === 1 ? (alternatives[0] ?? []) : undefined;
  const plans = alternatives.map((literals) => planAlternative(literals, source, only !== undefined));
  const allow = plans.flatMap((plan) => plan.allow);
  // An alternative without any filter needs all flows, so that the others cannot narrow anything.
  const everything = plans.some((plan) => plan.allow.length === 0);
  return {
    allow: everything || allow.length > MOST_ALTERNATIVES ? [] : allow,
    deny: plans.flatMap((plan) => plan.deny),
    exact:
      plans.every((plan) => plan.exact) &&
      (!everything || only !== undefined) &&
      allow.length <= MOST_ALTERNATIVES,
    paths,
  };
}

function fieldsIn(expression: Expression, source: string): ResolvedField[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.parts.flatMap((part) => fieldsIn(part, source));
    case 'not':
      return fieldsIn(expression.part, source);
    default:
      return [resolveField(expression.field, expression.at, source)];
  }
}

/** Disjunctive normal form: alternatives of literals; undefined when there would be too many. */
function disjuncts(expression: Expression, negated: boolean): Literal[][] | undefined {
  if (expression.kind === 'test' || expression.kind === 'has') return [[{ test: expression, negated }]];
  if (expression.kind === 'not') return disjuncts(expression.part, !negated);
  const parts = expression.parts.map((part) => disjuncts(part, negated));
  const alternatives = (expression.kind === 'or') !== negated;
  let all: Literal[][] = alternatives ? [] : [[]];
  for (const part of parts) {
    if (!part) return undefined;
    all = alternatives ? [...all, ...part] : all.flatMap((left) => part.map((right) => [...left, ...right]));
    if (all.length > 4 * MOST_ALTERNATIVES) return undefined;
  }
  return all;
}

interface AlternativePlan {
  allow: FlowFilter[];
  deny: FlowFilter[];
  exact: boolean;
}

function planAlternative(literals: readonly Literal[], source: string, alone: boolean): AlternativePlan {
  let filters: FlowFilter[] = [{}];
  const deny: FlowFilter[] = [];
  let exact = true;
  for (const { test, negated } of literals) {
    const turned = test.kind === 'test' && (test.operator === '!=' || test.operator === '!~');
    const pushed = test.kind === 'test' ? push(test, resolveField(test.field, test.at, source)) : undefined;
    const isNegated = negated !== turned;
    if (!pushed || (isNegated && (!alone || !pushed.exact))) {
      exact = false;
      continue;
    }
    if (isNegated) {
      deny.push(...pushed.filters);
      continue;
    }
    const merged = filters.flatMap((left) => pushed.filters.map((right) => merge(left, right)));
    if (merged.some((filter) => filter === undefined) || merged.length > MOST_ALTERNATIVES) exact = false;
    else filters = merged.filter((filter) => filter !== undefined);
    exact &&= pushed.exact;
  }
  return { allow: filters.filter((filter) => Object.keys(filter).length > 0), deny, exact };
}

/** Both filters at once; undefined when they set the same field, whose values would be alternatives. */
function merge(left: FlowFilter, right: FlowFilter): FlowFilter | undefined {
  if (Object.keys(right).some((key) => Object.hasOwn(left, key))) return undefined;
  const both = { ...left, ...right };
  const httpOnly = Object.keys(both).some((key) => key.startsWith('http_'));
  const types: EventTypeFilter[] = both.event_type ?? [];
  // Servers refuse filters on HTTP together with types that have none.
  return httpOnly && types.length > 0 && !types.some(({ type }) => type === EVENT_L7) ? undefined : both;
}

interface Pushed {
  filters: FlowFilter[];
  exact: boolean;
}

/** The filters for one comparison, its negation left aside; undefined when servers have none. */
function push(test: Extract<Expression, { kind: 'test' }>, field: ResolvedField): Pushed | undefined {
  const sides =
    field.side === 'either' ? (['source', 'destination'] as const) : field.side ? [field.side] : undefined;
  const equal = ['=', '!=', 'in'].includes(test.operator);
  const regex = test.operator === '~' || test.operator === '!~';
  if (sides) {
    const one = equal ? pushSided(field.base, test.values) : undefined;
    return one && { filters: sides.map((side) => prefixed(side, one.filter)), exact: one.exact };
  }
  const one = equal
    ? pushPlain(field.base, test.values)
    : regex
      ? pushRegex(field.base, test.values)
      : undefined;
  return one && { filters: [one.filter], exact: one.exact };
}

type Keyed = Readonly<Record<string, unknown>>;

function prefixed(side: 'source' | 'destination', filter: Keyed): FlowFilter {
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) => [`${side}_${key}`, value]),
  ) as FlowFilter;
}

function pushSided(base: string, values: readonly string[]): { filter: Keyed; exact: boolean } | undefined {
  switch (base) {
    case 'pod':
    case 'service':
      // Servers match names by their beginning, and take a bare name for one in the namespace "default".
      return {
        filter: { [base]: values.map((v) => (v.includes('/') ? v : `/${v}`).replace(/\*.*$/s, '')) },
        exact: false,
      };
    case 'namespace':
      return values.some((v) => /[*/]/.test(v))
        ? undefined
        : { filter: { pod: values.map((v) => `${v}/`) }, exact: false };
    case 'ip':
      return { filter: { ip: [...values] }, exact: true };
    case 'port':
      return values.every((v) => /^\d+$/.test(v))
        ? { filter: { port: [...values] }, exact: true }
        : undefined;
    case 'identity':
      return values.every((v) => /^\d+$/.test(v))
        ? { filter: { identity: values.map(Number) }, exact: true }
        : undefined;
    case 'label':
      return { filter: { label: [...values] }, exact: true };
    case 'workload':
      return values.some((v) => v.includes('*'))
        ? undefined
        : { filter: { workload: values.map((name) => ({ name })) }, exact: true };
    case 'cluster':
      return values.some((v) => v.includes('*'))
        ? undefined
        : { filter: { cluster_name: [...values] }, exact: true };
    default:
      return undefined;
  }
}

function pushPlain(
  base: string,
  values: readonly string[],
): { filter: FlowFilter; exact: boolean } | undefined {
  const upper = values.map((v) => v.toUpperCase().replaceAll('-', '_'));
  if (values.some((v) => v.includes('*'))) return undefined;
  switch (base) {
    case 'verdict':
      return { filter: { verdict: upper as FlowFilter['verdict'] & string[] }, exact: true };
    case 'reason':
      return {
        filter: { drop_reason_desc: upper as FlowFilter['drop_reason_desc'] & string[] },
        exact: false,
      };
    case 'direction':
      return {
        filter: { traffic_direction: upper as FlowFilter['traffic_direction'] & string[] },
        exact: true,
      };
    case 'type': {
      const types = values.map(eventTypeNumber);
      return types.some((type) => type === undefined)
        ? undefined
        : { filter: { event_type: types.map((type) => ({ type: type ?? 0 })) }, exact: true };
    }
    case 'protocol':
      return { filter: { protocol: values.map((v) => v.toLowerCase()) }, exact: true };
    case 'uuid':
      return { filter: { uuid: [...values] }, exact: true };
    case 'encrypted':
      return { filter: { encrypted: values.map((v) => v === 'true') }, exact: true };
    case 'http.method':
      return { filter: { http_method: [...values] }, exact: true };
    case 'http.code':
      return values.every((v) => /^\d{3}$/.test(v))
        ? { filter: { http_status_code: [...values] }, exact: true }
        : undefined;
    case 'node':
      return values.every((v) => /^[-.\w]+\/[-.\w]+$/.test(v))
        ? { filter: { node_name: [...values] }, exact: false }
        : undefined;
    default:
      return undefined;
  }
}

function pushRegex(
  base: string,
  values: readonly string[],
): { filter: FlowFilter; exact: boolean } | undefined {
  switch (base) {
    case 'http.path':
      return { filter: { http_path: [...values] }, exact: false };
    case 'http.url':
      return { filter: { http_url: [...values] }, exact: true };
    case 'dns.query':
      return { filter: { dns_query: [...values] }, exact: true };
    default:
      return undefined;
  }
}
