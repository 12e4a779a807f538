import { parseDurationNs } from '../../lib/duration.ts';
import { nearest } from '../../lib/nearest.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { compileSelector } from '../../model/selector.ts';
import type { FlowPredicate } from '../filter/filter.ts';
import { compileIps, compileRegexes } from '../filter/patterns.ts';
import { type FieldKind, fieldNamed, fieldNames, type ResolvedField } from './fields.ts';
import { type Expression, type Operator, whereError } from './parse.ts';

type Value = string | number | boolean;
/** Says whether one value of a field passes. */
type ValueTest = (value: Value) => boolean;

/** A field of whatever an expression is about. */
export interface Field<T> {
  name: string;
  kind: FieldKind;
  about: string;
  /** The values of an item; a test passes when one of them does. */
  read: (item: T) => readonly Value[];
  /** Labels of each end that is meant, for fields of kind `label`. */
  labels?: (item: T) => readonly (readonly string[])[];
}

/** The fields that expressions about a kind of item may name. */
export interface Language<T> {
  find: (name: string) => Field<T> | undefined;
  names: () => string[];
  /** Where the fields are listed. */
  help: string;
  /** Said of a name that means something elsewhere alone. */
  elsewhere?: (name: string) => string | undefined;
}

const FLOWS: Language<Flow> = {
  find: fieldNamed,
  names: fieldNames,
  help: 'See "hubble observe --where help" for the fields.',
};

/** Compiles an expression to a predicate over flows. Throws UserError, with a caret, for what makes no sense. */
export function compileWhere(expression: Expression, source: string): Promise<FlowPredicate> {
  return compileExpression(expression, source, FLOWS);
}

/** As `compileWhere`, for items of another kind. */
export async function compileExpression<T>(
  expression: Expression,
  source: string,
  language: Language<T>,
): Promise<(item: T) => boolean> {
  const compile = (part: Expression) => compileExpression(part, source, language);
  switch (expression.kind) {
    case 'and': {
      const parts = await Promise.all(expression.parts.map(compile));
      return (item) => parts.every((part) => part(item));
    }
    case 'or': {
      const parts = await Promise.all(expression.parts.map(compile));
      return (item) => parts.some((part) => part(item));
    }
    case 'not': {
      const part = await compile(expression.part);
      return (item) => !part(item);
    }
    case 'has': {
      const field = findField(expression.field, expression.at, source, language);
      return (item) => field.read(item).some((value) => value !== false && value !== '' && value !== 0);
    }
    case 'test':
      return compileTest(expression, source, language);
  }
}

/** Finds a field of flows, or says which one was probably meant. */
export function resolveField(name: string, at: number, source: string): ResolvedField {
  return fieldNamed(name) ?? unknownField(name, at, source, FLOWS);
}

function findField<T>(name: string, at: number, source: string, language: Language<T>): Field<T> {
  return language.find(name) ?? unknownField(name, at, source, language);
}

function unknownField<T>(name: string, at: number, source: string, language: Language<T>): never {
  const { names, help, elsewhere } = language;
  const near = nearest(name, names());
  const hint = elsewhere?.(name) ?? (near ? `Did you mean "${near}"?` : help);
  throw whereError(source, at, `there is no field "${name}"`, hint);
}

const NEGATED: Readonly<Partial<Record<Operator, Operator>>> = { '!=': '=', '!~': '~' };

async function compileTest<T>(
  test: Extract<Expression, { kind: 'test' }>,
  source: string,
  language: Language<T>,
): Promise<(item: T) => boolean> {
  const field = findField(test.field, test.at, source, language);
  const positive = NEGATED[test.operator];
  const fail = (problem: string, hint?: string) => whereError(source, test.at, problem, hint);
  if (field.kind === 'label') {
    const holds = labelTest(field, positive ?? test.operator, test.values, fail);
    return positive ? (item) => !holds(item) : holds;
  }
  const passes = await valueTest(field, positive ?? test.operator, test.values, fail);
  const { read } = field;
  return positive ? (item) => !read(item).some(passes) : (item) => read(item).some(passes);
}

type Fail = (problem: string, hint?: string) => Error;

/** A selector is about one end: either end passes when one of them matches it whole. */
function labelTest<T>(
  field: Field<T>,
  operator: Operator,
  values: readonly string[],
  fail: Fail,
): (item: T) => boolean {
  if (operator !== '=' && operator !== 'in') throw fail(`${field.name} takes = and in, with a selector`);
  const selectors = values.map((value) => {
    const selector = value === '' ? undefined : compileSelector(value);
    if (!selector)
      throw fail(
        `"${value}" is not a label selector`,
        'Examples: "app=web", "k8s:app!=web", "env in (prod,test)".',
      );
    return selector;
  });
  const any = (labels: readonly string[]) => selectors.some((selector) => selector(labels));
  return (item) => field.labels?.(item).some(any) ?? false;
}

async function valueTest<T>(
  field: Field<T>,
  operator: Operator,
  values: readonly string[],
  fail: Fail,
): Promise<ValueTest> {
  if (operator === '~') {
    if (field.kind === 'number' || field.kind === 'duration' || field.kind === 'truth')
      throw fail(`${field.name} is no text: ~ does not apply`);
    const match = await compileRegexes(values, '--where');
    return (value) => match(String(value));
  }
  const ordered = operator === '<' || operator === '<=' || operator === '>' || operator === '>=';
  if (ordered && field.kind !== 'number' && field.kind !== 'duration')
    throw fail(`${field.name} is no number: ${operator} does not apply`);
  switch (field.kind) {
    case 'number':
    case 'duration':
      return numberTest(field, operator, values, fail);
    case 'ip': {
      const match = compileIps(values);
      return (value) => match(String(value));
    }
    case 'truth': {
      const wanted = values.map((value) => {
        if (value !== 'true' && value !== 'false')
          throw fail(`${field.name} is true or false, not "${value}"`);
        return value === 'true';
      });
      return (value) => wanted.includes(value === true);
    }
    case 'name':
      return anyOf(values.map(nameTest));
    default:
      return anyOf(values.map((value) => textTest(value, field.kind === 'flag' || CASELESS.has(field.name))));
  }
}

/** Words of a fixed vocabulary, which are written in either case. */
const CASELESS = new Set(['verdict', 'reason', 'type', 'protocol', 'direction', 'http.method']);

function anyOf(tests: readonly ValueTest[]): ValueTest {
  return (value) => tests.some((test) => test(value));
}

/** Equality, with `*` for any run of characters. */
function textTest(pattern: string, caseless: boolean): ValueTest {
  const fold = (text: string) => (caseless ? text.toLowerCase().replaceAll('_', '-') : text);
  const wanted = fold(pattern);
  if (!wanted.includes('*')) return (value) => fold(String(value)) === wanted;
  const parts = wanted.split('*');
  return (value) => matchesGlob(fold(String(value)), parts);
}

/** Matches the fixed parts of a glob in order, the first and the last at the ends. Linear, whatever the pattern. */
function matchesGlob(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** `namespace/name` is compared whole, a name alone in any namespace. */
function nameTest(pattern: string): ValueTest {
  const test = textTest(pattern, false);
  if (pattern.includes('/')) return test;
  return (value) => test(String(value).slice(String(value).indexOf('/') + 1));
}

function numberTest<T>(
  field: Field<T>,
  operator: Operator,
  values: readonly string[],
  fail: Fail,
): ValueTest {
  const parse = (text: string): number => {
    const number =
      field.kind === 'duration' ? parseDurationNs(text) : /^\d+$/.test(text) ? Number(text) : undefined;
    if (number === undefined)
      throw fail(`"${text}" is not a ${field.kind} (${field.name} is ${field.about})`);
    return number;
  };
  if (operator === '=' || operator === 'in') {
    return anyOf(
      values.map((value): ValueTest => {
        const range = /^(.*?)\.\.(.*)$/.exec(value);
        if (!range) {
          const wanted = parse(value);
          return (found) => found === wanted;
        }
        const low = range[1] === '' ? Number.NEGATIVE_INFINITY : parse(range[1] ?? '');
        const high = range[2] === '' ? Number.POSITIVE_INFINITY : parse(range[2] ?? '');
        return (found) => typeof found === 'number' && found >= low && found <= high;
      }),
    );
  }
  const limit = parse(values[0] ?? '');
  switch (operator) {
    case '<':
      return (found) => typeof found === 'number' && found < limit;
    case '<=':
      return (found) => typeof found === 'number' && found <= limit;
    case '>':
      return (found) => typeof found === 'number' && found > limit;
    default:
      return (found) => typeof found === 'number' && found >= limit;
  }
}
