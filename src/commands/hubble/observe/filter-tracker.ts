import { UserError } from '../../../errors.ts';
import { goQuote } from '../../../lib/go-quote.ts';
import { CONFLICTS, FILTER_FLAGS, type FilterFlag } from './filter-flags.ts';

/** One use of a filter flag on the command line, or of `--not`. */
export interface FilterWord {
  flag: string;
  value: string;
}

/** Values by the field of a filter that they are for. */
export type Draft = Record<string, unknown[]>;

/** Puts the uses of flags into two lists, in the order in which they were given. */
export class FilterTracker {
  readonly allow = new Tracker();
  readonly deny = new Tracker();
  /** A `--not` waits for the flag that it is about. */
  negated = false;

  /** Throws UserError where the use is wrong. */
  add({ flag: name, value }: FilterWord): void {
    if (name === 'not') {
      if (this.negated) throw invalidArgument('true', '--not', 'consecutive --not statements');
      this.negated = true;
      return;
    }
    const flag = FILTER_FLAGS.find((known) => known.name === name);
    if (flag === undefined) return;
    try {
      (this.negated ? this.deny : this.allow).add(flag, value);
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
    this.negated = false;
  }
}

function invalidArgument(value: string, flag: string, why: string, hint?: string): UserError {
  return new UserError(`invalid argument ${goQuote(value)} for "${flag}" flag: ${why}`, { hint });
}

/** The filters of one list. Flags for either end make two: one for the source, one for the destination. */
export class Tracker {
  readonly left: Draft = {};
  readonly right: Draft = {};
  readonly namespaces = { any: [] as string[], source: [] as string[], destination: [] as string[] };
  readonly #used: string[] = [];

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
    if (flag.namespaces) this.namespaces[flag.namespaces].push(String(parsed));
    else {
      append(this.left, flag.left, parsed);
      append(this.right, flag.right, parsed);
    }
    this.#checkNamespaces();
  }

  #checkNamespaces(): void {
    const { any, source, destination } = this.namespaces;
    for (const draft of [this.left, this.right]) {
      const [from, to] = [namesOf(draft, 'source'), namesOf(draft, 'destination')];
      const conflicts = [
        ...[...from, ...to].map((names) => outside(any, names)),
        ...from.map((names) => outside(source, names)),
        ...to.map((names) => outside(destination, names)),
        apart(from),
        apart(to),
      ].filter((conflict) => conflict !== undefined);
      if (conflicts.length > 0) throw new UserError(conflicts.join('\n'));
    }
  }
}

function append(draft: Draft, field: string, value: unknown): void {
  draft[field] = [...(draft[field] ?? []), value];
}

/** The pods of one end, and its services. */
function namesOf(draft: Draft, side: 'source' | 'destination'): [pods: string[], services: string[]] {
  const [pods = [], services = []] = [draft[`${side}_pod`], draft[`${side}_service`]];
  return [pods.map(String), services.map(String)];
}

/** A name that brings its namespace has to lie in each that the flags name; "all" names none. */
function outside(namespaces: readonly string[], names: readonly string[]): string | undefined {
  for (const namespace of namespaces) {
    const other = names.find((name) => !['', namespace].includes(namespaceOf(name)));
    if (other !== undefined)
      return `namespace conflict: ${goQuote(namespace)} does not contain ${goQuote(other)}`;
  }
  return undefined;
}

/** Pods and services of one end lie in one namespace. A pod without one goes with any. */
function apart([pods, services]: [string[], string[]]): string | undefined {
  for (const namespace of pods.map(namespaceOf).filter((name) => name !== '')) {
    const other = services.find((service) => namespaceOf(service) !== namespace);
    if (other !== undefined)
      return `namespace of service ${goQuote(other)} conflict with pod ${goQuote(namespace)}`;
  }
  return undefined;
}

function namespaceOf(name: string): string {
  const at = name.indexOf('/');
  return at === -1 ? '' : name.slice(0, at);
}
