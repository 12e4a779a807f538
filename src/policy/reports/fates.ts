import type { EdgeFate } from '../../model/traffic.ts';
import type { Found, Observed } from './flow-table.ts';
import type { ChangeGroup, Outcome } from './replay.ts';

/** What counted flows were compared with: other rules, or the verdicts that they have themselves. */
export type ComparedWith = 'rules' | 'flows';

const NO_VERDICT = 'no verdict that is known, or a drop without a reason: there is nothing to compare with';
const UNCLEAR = 'flows of this connection were dropped without a reason, so that its verdict is not known';
const NOT_DECIDED_NOW = 'the rules that it is compared with do not decide it';

/** One of the numbers of a fate, with the reason of what is open. */
type Part = { kind: Exclude<keyof EdgeFate, 'changes' | 'reasons'>; reason?: string };

/** Sums up what became of the flows of an edge, which are counted by where a table of flows has them. */
export function fateOf(
  marks: ReadonlyMap<Found, number>,
  outcomes: ReadonlyMap<Observed, Outcome>,
  numbers: ReadonlyMap<ChangeGroup, number>,
  comparedWith: ComparedWith,
): EdgeFate {
  const sums = { newlyDenied: 0, newlyAllowed: 0, unchanged: 0, open: 0, silent: 0 };
  const changes = new Map<number, number>();
  const reasons = new Map<string, number>();
  for (const [found, flows] of marks) {
    const outcome = typeof found === 'string' ? undefined : outcomes.get(found.known);
    const { kind, reason } = partOf(found, outcome, comparedWith);
    sums[kind] += flows;
    if (reason !== undefined) reasons.set(reason, (reasons.get(reason) ?? 0) + flows);
    const number = outcome?.group && numbers.get(outcome.group);
    if (number !== undefined && (kind === 'newlyDenied' || kind === 'newlyAllowed'))
      changes.set(number, (changes.get(number) ?? 0) + flows);
  }
  return {
    ...sums,
    changes: [...changes].map(([change, flows]) => ({ change, flows })).sort((a, b) => b.flows - a.flows),
    reasons: [...reasons].map(([name, flows]) => ({ name, flows })).sort((a, b) => b.flows - a.flows),
  };
}

function partOf(found: Found, outcome: Outcome | undefined, comparedWith: ComparedWith): Part {
  if (typeof found === 'string') return { kind: 'open', reason: found };
  if (!outcome) return { kind: 'open', reason: 'it was not decided' };
  const { answer, why, before, group } = outcome;
  if (answer === 'unknown') return { kind: 'open', reason: why ?? 'unknown' };
  const changed = answer === 'denied' ? 'newlyDenied' : 'newlyAllowed';
  if (comparedWith === 'rules') {
    if (before === 'unknown') return { kind: 'open', reason: NOT_DECIDED_NOW };
    return { kind: group ? changed : 'unchanged' };
  }
  const { seen } = found;
  if (seen === 'unsaid' || seen === 'dropped') return { kind: 'open', reason: NO_VERDICT };
  if (seen === 'other') return { kind: 'silent' };
  if (before === 'unknown') return { kind: 'open', reason: UNCLEAR };
  // Of a connection with both, only the flows that would fare otherwise are a change.
  return { kind: group && seen !== answer ? changed : 'unchanged' };
}
