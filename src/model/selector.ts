import { type AddressRange, contains } from '../lib/address.ts';
import { type Label, parseLabels, rangeOfLabel } from './label.ts';

export const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;
type Operator = (typeof OPERATORS)[number];

/** A label selector as Kubernetes and rules write it. All entries must hold; an empty selector selects everything. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: Requirement[];
}

export interface Requirement {
  /** In rules with its source, `any:app`. */
  key: string;
  operator: Operator;
  /** Of `In` and `NotIn` only, and there never empty. */
  values?: string[];
}

/** A requirement with its key taken apart. `matchLabels` become `In` with one value. */
export interface Term {
  /** `any` when the key names no source. */
  source: string;
  name: string;
  operator: Operator;
  values: readonly string[];
}

/** All terms of a selector, in a fixed order; an empty list selects everything. */
export function termsOf(selector: LabelSelector): Term[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => termOf(key, 'In', [value]));
  const others = selector.matchExpressions ?? [];
  return [...equal, ...others.map(({ key, operator, values }) => termOf(key, operator, values))];
}

function termOf(key: string, operator: Operator, values: readonly string[] = []): Term {
  const colon = key.indexOf(':');
  return { source: key.slice(0, Math.max(colon, 0)) || 'any', name: key.slice(colon + 1), operator, values };
}

/** Whether a term holds for the value of the label that it names; undefined when there is no such label. */
export function accepts({ operator, values }: Term, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** Whether labels, whose keys have no source, are selected. */
export function selectsLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return termsOf(selector).every((term) => accepts(term, labels[term.name]));
}

/** What a term of a selector in text form asks of the value of its label. */
interface TextTerm {
  source: string;
  name: string;
  /** The range that the name stands for, when the source is `cidr`. */
  range: AddressRange | undefined;
  accepts(value: string | undefined): boolean;
}

/**
 * Compiles a selector in the text form of Kubernetes: `app=web,tier!=db,env in (a,b),!legacy,replicas>3`. A key may
 * carry a source (`k8s:app`), and a `cidr:` key stands for the prefixes in it too. The empty text selects everything.
 * Undefined when the text is not a selector. Of several labels with one key the first counts.
 */
export function compileSelector(text: string): ((labels: readonly string[]) => boolean) | undefined {
  const terms: TextTerm[] = [];
  for (const part of text === '' ? [] : text.split(/,(?![^()]*\))/)) {
    const term = parseTerm(part.trim());
    if (!term) return undefined;
    terms.push(term);
  }
  return (texts) => {
    const labels = parseLabels(texts);
    return terms.every((term) => term.accepts(labels.find((label) => isMeant(label, term))?.value));
  };
}

const WORD = '[^\\s=!,()<>]+';
const EXISTS = new RegExp(`^(!?)\\s*(${WORD})$`);
const COMPARED = new RegExp(`^(${WORD})\\s*(==|=|!=|<|>)\\s*(${WORD})?$`);
const LISTED = new RegExp(`^(${WORD})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);

function parseTerm(text: string): TextTerm | undefined {
  const [, listed, word, list = ''] = LISTED.exec(text) ?? [];
  if (listed !== undefined) {
    const values = list.split(',').map((value) => value.trim());
    return textTerm(listed, word === 'in' ? 'In' : 'NotIn', values);
  }
  const [, compared, sign, value = ''] = COMPARED.exec(text) ?? [];
  if (compared !== undefined) {
    if (sign === '<' || sign === '>') return comparison(compared, sign, value);
    return textTerm(compared, sign === '!=' ? 'NotIn' : 'In', [value]);
  }
  const [, not, name] = EXISTS.exec(text) ?? [];
  return name === undefined ? undefined : textTerm(name, not === '!' ? 'DoesNotExist' : 'Exists', []);
}

const INTEGER = /^[+-]?\d+$/;

function comparison(key: string, sign: '<' | '>', bound: string): TextTerm | undefined {
  const term = textTerm(key, 'In', [bound]);
  if (term === undefined || !INTEGER.test(bound)) return undefined;
  const than = BigInt(bound);
  return {
    ...term,
    accepts: (value = '') =>
      INTEGER.test(value) && (sign === '<' ? BigInt(value) < than : BigInt(value) > than),
  };
}

/** A label's value, and the name of a key behind its prefix. */
const LABEL_VALUE = /^(?:(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const LONGEST_VALUE = 63;
const LONGEST_PREFIX = 253;

function textTerm(key: string, operator: Operator, values: readonly string[]): TextTerm | undefined {
  const term = termOf(key, operator, values);
  // The reference checks the key with its source in front, as if it were one name.
  const whole = key.includes(':') ? key.replace(':', '.') : `any.${key}`;
  if (!isQualifiedName(whole) || !values.every(isLabelValue)) return undefined;
  return {
    source: term.source,
    name: term.name,
    range: term.source === 'cidr' ? rangeOfLabel(term.name) : undefined,
    accepts: (value) => accepts(term, value),
  };
}

function isLabelValue(text: string): boolean {
  return text.length <= LONGEST_VALUE && LABEL_VALUE.test(text);
}

function isQualifiedName(text: string): boolean {
  const [prefix, name, more] = text.includes('/') ? text.split('/') : [undefined, text];
  if (more !== undefined || !name || !isLabelValue(name)) return false;
  return prefix === undefined || (prefix.length <= LONGEST_PREFIX && SUBDOMAIN.test(prefix));
}

function isMeant({ source, key }: Label, term: TextTerm): boolean {
  if (term.source !== 'any' && term.source !== source) return false;
  if (term.source !== 'cidr') return key === term.name;
  const own = rangeOfLabel(key);
  return own !== undefined && term.range !== undefined && contains(term.range, own);
}
