import { nearest } from '../../lib/nearest.ts';
import type { Finding, Severity } from '../../model/finding.ts';
import type { Facts, Moved, Names } from './facts.ts';
import { allOf, type Given, nameOf, textOf } from './given.ts';

/** A step of a repair, by names from the root of the document. */
export type Change =
  | { kind: 'rename'; from: readonly string[]; to: readonly string[] }
  | { kind: 'set'; at: readonly string[]; value: unknown };

/** A finding, and what repairs it where that is certain. */
export interface Lint extends Finding {
  fix?: readonly Change[];
}

/** Which names are checked, for which release. */
export interface Scope {
  facts: Facts;
  names: Names;
  minor: number;
  /** What has such names, in messages. */
  who: string;
  /** Turns a dotted name into the path of a change. */
  pathOf: (name: string) => readonly string[];
}

/** What a finding is made of, beside the setting that it is about. */
export interface Fault {
  severity: Severity;
  code: string;
  message: string;
  hint?: string | undefined;
  fix?: readonly Change[] | undefined;
}

export function lintAt(
  { path, position, valuePosition }: Given,
  fault: Fault,
  at: 'name' | 'value' = 'name',
): Lint {
  const { hint, fix, ...rest } = fault;
  return {
    ...rest,
    ...(hint && { hint }),
    ...(fix && { fix }),
    position: at === 'name' ? position : valuePosition,
    path: [...path],
  };
}

export function releaseText(minor: number): string {
  return `1.${minor}`;
}

/** Values that a name has as it was, and another shape under its new one: what moves there is for a person to decide. */
const RESHAPED = new Set([
  ...['flannel.enabled', 'bgp.enabled', 'bgp.announce.loadbalancerIP', 'bgp.announce.podCIDR'],
  ...['affinity.nodeAffinity', 'hubble.ui.securityContext.enabled', 'securityContext.extraCapabilities'],
  ...['datapathMode', 'flannel-master-device', 'enable-api-rate-limit', 'nat46-range'],
  ...[
    'hubble-flow-buffer-size',
    'ces-write-qps-limit',
    'ces-write-qps-burst',
    'ces-enable-dynamic-rate-limit',
  ],
  ...['aws-pagination-enabled', 'l2podAnnouncements.interface', 'l2-pod-announcements-interface'],
  ...['global.registry', 'agent.image', 'operator.image', 'nodeinit.image'],
]);

/** The names that take the place of a moved one in a release, through all moves after it; empty where there are none. */
export function goalsOf(names: Names, row: Moved, minor: number, depth = 0): string[] {
  const [, ...paths] = row.to?.findLast(([since]) => since <= minor) ?? [];
  return paths.flatMap((path) => {
    if (names.has(path, minor)) return [path];
    const next = depth < 4 ? names.movedBy(path, minor) : undefined;
    return next ? goalsOf(names, next, minor, depth + 1) : [];
  });
}

/** What is said of a move, without the clauses that the finding says itself. */
function saying({ instead, say = '' }: Moved): string | undefined {
  const clauses = say.split(/; |\. /).filter((clause) => !/^(?:chart refuses|deprecated)\b/i.test(clause));
  const all = [...(instead === undefined ? [] : [`In its place: ${instead}`]), ...clauses].filter(Boolean);
  return all.length === 0 ? undefined : all.join('; ');
}

/** A name that a release no longer has, as the facts tell. */
export function movedAway(given: Given, row: Moved, scope: Scope): Lint {
  const { names, minor, who, pathOf } = scope;
  const name = row.old;
  const goals = goalsOf(names, row, minor);
  const since = `gone since ${releaseText(row.gone)}`;
  const said = saying(row);
  if (goals.length === 0)
    return lintAt(given, {
      severity: 'warning',
      code: 'removed',
      message: `${name} is ${since}: ${who} of ${releaseText(minor)} do not look at it`,
      hint: said,
    });
  const isLost = given.value !== null;
  const isSame = !RESHAPED.has(name) && (given.children.length === 0 || goals.length === 1);
  return lintAt(given, {
    severity: isLost ? 'error' : 'warning',
    code: 'renamed',
    message: `${name} is ${since}: write ${goals.join(' and ')}`,
    hint: said,
    fix: isSame ? moves(given, name, goals, pathOf) : undefined,
  });
}

function moves(
  given: Given,
  name: string,
  goals: readonly string[],
  pathOf: Scope['pathOf'],
): Change[] | undefined {
  const [first, ...more] = goals;
  if (first === undefined) return undefined;
  // A text that became a list.
  if (first === `${name}List`)
    return [
      { kind: 'set', at: given.path, value: [given.value] },
      { kind: 'rename', from: given.path, to: pathOf(first) },
    ];
  return [
    { kind: 'rename', from: given.path, to: pathOf(first) },
    ...more.map((path): Change => ({ kind: 'set', at: pathOf(path), value: given.value })),
  ];
}

/** A name that a release does not have and no fact tells of: of another release, or of none. */
export function notKnown(given: Given, scope: Scope): Lint {
  const { names, minor, who } = scope;
  const name = nameOf(given);
  const ranges = names.rangesOf(name);
  const [first] = ranges[0] ?? [];
  if (first !== undefined && first > minor)
    return lintAt(given, {
      severity: 'warning',
      code: 'not-yet',
      message: `${name} comes with ${releaseText(first)}: ${who} of ${releaseText(minor)} do not look at it`,
    });
  const before = ranges.findLast(([, last]) => last < minor);
  if (before)
    return lintAt(given, {
      severity: 'warning',
      code: 'removed',
      message: `${name} is gone since ${releaseText(before[1] + 1)}: ${who} of ${releaseText(minor)} do not look at it`,
    });
  const near = nearestName(name, names.of(minor));
  return lintAt(given, {
    severity: 'warning',
    code: 'unknown',
    message: `${name} is not known: no release from 1.9 to ${releaseText(Math.max(minor, 20))} has it, as far as the toolkit knows`,
    hint: near === undefined ? undefined : `Is ${near} meant?`,
  });
}

/** The name that is probably meant: a neighbour, else the same word elsewhere, else the nearest of all. */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const dot = name.lastIndexOf('.');
  const [above, own] = [name.slice(0, dot + 1), name.slice(dot + 1)];
  const siblings = known.filter((path) => path.startsWith(above) && !path.slice(above.length).includes('.'));
  const near = nearest(
    own,
    siblings.map((path) => path.slice(above.length)),
  );
  if (near !== undefined) return above + near;
  const elsewhere = known.filter((path) => path === own || path.endsWith(`.${own}`));
  return elsewhere.length === 1 ? elsewhere[0] : nearest(name, known);
}

/** A value that a release does not take. Only of sets that are known to be whole it is an error. */
const WHOLE_SETS = new Set([
  'routing-mode',
  'routingMode',
  'tunnel-protocol',
  'tunnelProtocol',
  'enable-policy',
  'policyEnforcementMode',
]);

export function wrongValue(given: Given, name: string, { facts, minor, who }: Scope): Lint | undefined {
  const { value } = given;
  const set = facts.valueSet(name, minor);
  if (!set || value === null || value === '' || typeof value === 'object') return undefined;
  const text = textOf(value);
  if (set.some((one) => one.toLowerCase() === text.toLowerCase())) return undefined;
  const near = nearest(text, set);
  return lintAt(
    given,
    {
      severity: WHOLE_SETS.has(name) ? 'error' : 'warning',
      code: 'value',
      message: `${name} is "${text}": ${who} of ${releaseText(minor)} know ${set.map((one) => `"${one}"`).join(', ')}`,
      hint: near === undefined ? undefined : `Is "${near}" meant?`,
    },
    'value',
  );
}

/** Names that stand twice in a map. */
export function doubled(given: readonly Given[]): Lint[] {
  return [...allOf(given)]
    .filter(({ isDoubled }) => isDoubled)
    .map((one) =>
      lintAt(one, {
        severity: 'warning',
        code: 'doubled',
        message: `${nameOf(one)} is written more than once: the last one counts`,
      }),
    );
}
