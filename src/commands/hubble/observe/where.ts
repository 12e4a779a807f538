import { compileWhere } from '../../../hubble/where/evaluate.ts';
import { fieldList } from '../../../hubble/where/fields.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import { planWhere } from '../../../hubble/where/server-plan.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { FilterLists } from './filter-builder.ts';
import type { FlowQuery } from './request.ts';

/** A `--where`: what of it is asked for, and what is evaluated here. */
export interface Where {
  source: string;
  /** The query with the filters and the fields that the expression adds to it. */
  query: FlowQuery;
  /** The filters of the query say all that the expression says. */
  exact: boolean;
  /** Leaves out the flows that the expression does not mean. Lost events and news of nodes pass. */
  keep(batches: Messages): Messages;
}

type Messages = AsyncIterable<readonly GetFlowsResponse[]>;

/** Compiles an expression, and moves as much of it as possible into the query. Throws UserError with the place of a mistake. */
export async function openWhere(source: string, query: FlowQuery): Promise<Where> {
  const expression = parseWhere(source);
  const { allow, deny, exact, paths } = planWhere(expression, source);
  const both = combine(query.filters.allow, allow);
  const filters: FilterLists = {
    allow: both ?? query.filters.allow,
    deny: [...query.filters.deny, ...deny],
  };
  const mask = query.mask.length === 0 ? query.mask : [...new Set([...query.mask, ...paths])];
  const matches = await compileWhere(expression, source);
  return {
    source,
    query: { ...query, filters, mask },
    exact: exact && both !== undefined,
    keep: async function* (batches) {
      for await (const batch of batches) yield batch.filter(({ flow }) => !flow || matches(flow));
    },
  };
}

/**
 * Filters that hold where one of each list does: each pair of alternatives is one filter. Undefined when a pair sets
 * the same field, which no filter can say.
 */
function combine(
  flags: FilterLists['allow'],
  expression: FilterLists['allow'],
): FilterLists['allow'] | undefined {
  if (expression.length === 0) return flags;
  if (flags.length === 0) return expression;
  const clash = flags.some((flag) =>
    expression.some((part) => Object.keys(part).some((key) => Object.hasOwn(flag, key))),
  );
  return clash ? undefined : flags.flatMap((flag) => expression.map((part) => ({ ...flag, ...part })));
}

/** What `--where help` prints. */
export function fieldHelp(): string {
  const fields = fieldList();
  const width = Math.max(...fields.map(({ name }) => name.length));
  return `Fields of --where (src. and dst. name one end, without them either end is meant):\n${fields.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}`).join('\n')}\n
Operators: = != ~ (RE2) !~ < <= > >= in; and or not; parentheses. * stands for any text, a..b for a range.
Examples:
  verdict = DROPPED and not dst.namespace = kube-system
  dst.ip in 10.0.0.0/8 and dst.port in [80, 443, 8000..8999]
  src.label = "app=web" and (http.code >= 500 or latency > 200ms)
  dns.query ~ "\\.internal$" and dns.rcode = 3
`;
}
