import type { EdgeFate, TrafficEdge } from '../model/traffic.ts';
import type { Trial, TrialChange } from '../model/traffic-report.ts';

/** How an edge looks: its class, what stands beside its port, and the same in words. */
interface Look {
  look: 'denied' | 'allowed' | 'open' | 'bad' | '';
  marks: readonly string[];
  words: string;
}

/** The kinds of flows that are worth a mark. The sign and the line tell them apart as well as the colour. */
export const KINDS = [
  { of: (fate: EdgeFate) => fate.newlyDenied, look: 'denied', sign: '✕', name: 'newly denied' },
  { of: (fate: EdgeFate) => fate.newlyAllowed, look: 'allowed', sign: '+', name: 'newly allowed' },
  { of: (fate: EdgeFate) => fate.open, look: 'open', sign: '?', name: 'not decided or not compared' },
] as const;

/** What an edge looks like: what would become of its flows where rules are tried, else what was dropped. */
export function lookOf({ fate, dropped }: Pick<TrafficEdge, 'fate' | 'dropped'>): Look {
  if (!fate)
    return {
      look: dropped > 0 ? 'bad' : '',
      marks: dropped > 0 ? [`✕ ${dropped}`] : [],
      words: `${dropped} dropped`,
    };
  const found = KINDS.filter(({ of }) => of(fate) > 0);
  const [first] = found;
  // Flows that show nothing of policy leave open what it does.
  if (!first && fate.unchanged === 0)
    return { look: 'open', marks: ['?'], words: 'none of them shows a verdict' };
  return {
    look: first?.look ?? '',
    marks: found.map(({ of, sign }) => `${sign} ${of(fate)}`),
    words: found.map(({ of, name }) => `${of(fate)} ${name}`).join(', ') || 'no change',
  };
}

/** Flows that are not the same as before, or may not be. */
export function changedFlows({ newlyDenied, newlyAllowed, open }: EdgeFate): number {
  return newlyDenied + newlyAllowed + open;
}

/** What was tried, and how much of it is decided. */
export function TrialHead({ trial }: { trial: Trial }) {
  const { candidate, comparedWith, connections, allowed, denied, undecided, uncompared } = trial;
  const open = undecided.reduce((sum, { flows }) => sum + flows, 0);
  return (
    <p>
      {candidate}, compared with {comparedWith}: {connections} connections, {allowed} flows allowed, {denied}{' '}
      denied, <b class={open > 0 ? 'open' : ''}>{open}</b> not decided
      {uncompared > 0 && `, ${uncompared} not compared`}
    </p>
  );
}

/** What lines of the map mean. */
export function Legend() {
  return (
    <ul class="legend" aria-label="What the lines mean">
      {[...KINDS, { look: 'same', sign: '', name: 'unchanged' }].map(({ look, sign, name }) => (
        <li key={name}>
          <svg class={`key ${look}`} viewBox="0 0 40 10" aria-hidden="true">
            <path class="line" d="M0,5 L40,5" stroke-width="3" />
          </svg>{' '}
          {sign} {name}
        </li>
      ))}
    </ul>
  );
}

/** Changes that are listed of one edge. */
const MOST_CHANGES = 50;

/** What would become of the flows of one edge, and why. */
export function FateDetails({ fate, trial }: { fate: EdgeFate; trial: Trial }) {
  const changes = fate.changes.slice(0, MOST_CHANGES);
  const rest = changes.reduce((left, { flows }) => left - flows, fate.newlyDenied + fate.newlyAllowed);
  return (
    <>
      <h3>Under the rules that are tried</h3>
      <p>{lookOf({ fate, dropped: 0 }).words}</p>
      {changes.map(({ change: number, flows }) => {
        const change = trial.changes[number];
        if (!change) return null;
        return (
          <div key={number} class={`drop ${lookClass(change)}`}>
            <p>
              <b class={lookClass(change)}>{change.change.replace('-', ' ')}</b> {change.direction}{' '}
              {change.port}: {flows} flows
            </p>
            <p>{change.reason}</p>
          </div>
        );
      })}
      {rest > 0 && <p class="muted">{rest} flows more, of changes that are not listed here.</p>}
      {fate.reasons.map(({ name, flows }) => (
        <p key={name}>
          <b class="open">open</b> {flows} flows: {name}
        </p>
      ))}
    </>
  );
}

/** The class of what shows a change. */
export function lookClass({ change }: TrialChange): 'denied' | 'allowed' {
  return change === 'newly-denied' ? 'denied' : 'allowed';
}
