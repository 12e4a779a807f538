import { UserError } from '../../../errors.ts';
import { canonical } from '../../../hubble/protobuf/protojson.ts';
import type { FlowFilter } from '../../../model/hubble.gen.ts';
import { CONFLICTS, FILTER_FLAGS, type FilterFlag } from './filter-flags.ts';

/** One use of a filter flag on the command line, or of `--not`. */
export interface FilterWord {
  flag: string;
  value: string;
}

/** What a request asks for. */
export interface FilterLists {
  allow: FlowFilter[];
  deny: FlowFilter[];
}

type Draft = Record<string, unknown[]>;

/** Builds the filters that the flags describe, in the order in which they were given. */
export function buildFilters(words: readonly FilterWord[]): FilterLists {
  const allow = new Tracker();
  const deny = new Tracker();
  let negated = false;
  for (const { flag: name, value } of words) {
    if (name === 'not') {
      if (negated) throw invalidArgument('true', '--not', 'consecutive --not statements');
      negated = true;
      continue;
    }
    const flag = FILTER_FLAGS.find((known) => known.name === name);
    if (flag === undefined) continue;
    try {
      (negated ? deny : allow).add(flag, value);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const shown = flag.value === undefined || flag.value === '' ? value || 'true' : value;
      throw invalidArgument(
        shown,
        flag.short ? `-${flag.short}, --${name}` : `--${name}`,
        error.message,
        error.hint,
      );
    }
    negated = false;
  }
  if (negated)
    throw new UserError('trailing --not found in the arguments', {
      hint: '--not negates the filter flag that follows it.',
    });
  return { allow: allow.filters(), deny: deny.filters() };
}

function invalidArgument(value: string, flag: string, why: string, hint?: string): UserError {
  return new UserError(`invalid argument ${JSON.stringify(value)} for "${flag}" flag: ${why}`, { hint });
}

/** The filters of one list. Flags for either end make two: one for the source, one for the destination. */
class Tracker {
  readonly #left: Draft = {};
  readonly #right: Draft = {};
  readonly #used: string[] = [];
  readonly #namespaces = { any: [] as string[], source: [] as string[], destination: [] as string[] };

  add(flag: FilterFlag, value: string): void {
    const others = this.#used.filter((used) => used !== flag.name);
    const clash = CONFLICTS.find(
      (group) => group.includes(flag.name) && others.some((used) => group.includes(used)),
    );
    if (clash) {
      const [first, second] = clash.filter((name) => name === flag.name || others.includes(name));
      throw new UserError(`filters --${first} and --${second} cannot be combined`);
    }
    this.#used.push(flag.name);
    const parsed = flag.parse(value);
    if (flag.namespaces) this.#namespaces[flag.namespaces].push(String(parsed));
    else {
      append(this.#left, flag.left, parsed);
      append(this.#right, flag.right, parsed);
    }
    this.#checkNamespaces();
  }

  #checkNamespaces(): void {
    const { any, source, destination } = this.#namespaces;
    for (const draft of [this.#left, this.#right]) {
      checkNamespaces([...any, ...source], namesOf(draft, 'source'));
      checkNamespaces([...any, ...destination], namesOf(draft, 'destination'));
      checkServices(draft, 'source');
      checkServices(draft, 'destination');
    }
  }

  filters(): FlowFilter[] {
    const { any, source, destination } = this.#namespaces;
    const [left, right] = [structuredClone(this.#left), structuredClone(this.#right)];
    for (const draft of [left, right]) qualify(draft, 'destination', destination);
    for (const draft of [left, right]) qualify(draft, 'source', source);
    qualify(left, 'source', any);
    qualify(right, 'destination', any);
    const filters = [left, right].map((draft) => canonical('flow.FlowFilter', finished(draft)));
    const [a, b] = filters.map((filter) => JSON.stringify(filter));
    if (a === '{}' && b === '{}') return [];
    return a === b ? filters.slice(0, 1) : filters;
  }
}

function append(draft: Draft, field: string, value: unknown): void {
  draft[field] = [...(draft[field] ?? []), value];
}

/** CEL expressions lie one message deeper than the other fields. */
function finished(draft: Draft): Record<string, unknown> {
  const { experimental: expressions, ...fields } = draft;
  return expressions ? { ...fields, experimental: { cel_expression: expressions } } : fields;
}

/** Gives the namespaces to the bare names of one side; without names they mean every pod in them. */
function qualify(draft: Draft, side: 'source' | 'destination', namespaces: readonly string[]): void {
  if (namespaces.length === 0) return;
  const [pods, services] = [`${side}_pod`, `${side}_service`];
  if (!draft[pods] && !draft[services]) draft[pods] = [''];
  for (const field of [pods, services]) {
    const names = draft[field];
    if (names)
      draft[field] = names.flatMap((name) =>
        String(name).includes('/') ? [name] : namespaces.map((namespace) => `${namespace}/${name}`),
      );
  }
}

function namesOf(draft: Draft, side: 'source' | 'destination'): string[] {
  return [...(draft[`${side}_pod`] ?? []), ...(draft[`${side}_service`] ?? [])].map(String);
}

/** A name that brings its namespace has to lie in each that the flags name; "all" names none. */
function checkNamespaces(namespaces: readonly string[], names: readonly string[]): void {
  for (const namespace of namespaces) {
    for (const name of names) {
      const own = namespaceOf(name);
      if (own !== '' && own !== namespace)
        throw new UserError(`namespace conflict: "${namespace}" does not contain "${name}"`);
    }
  }
}

/** Pods and services of one end lie in one namespace. A pod without one goes with any. */
function checkServices(draft: Draft, side: 'source' | 'destination'): void {
  for (const pod of draft[`${side}_pod`] ?? []) {
    const namespace = namespaceOf(String(pod));
    if (namespace === '') continue;
    for (const service of draft[`${side}_service`] ?? []) {
      if (namespaceOf(String(service)) !== namespace)
        throw new UserError(`namespace of service "${service}" conflict with pod "${namespace}"`);
    }
  }
}

function namespaceOf(name: string): string {
  const at = name.indexOf('/');
  return at === -1 ? '' : name.slice(0, at);
}
