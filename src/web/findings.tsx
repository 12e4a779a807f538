import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Shown } from '../hubble/views/traffic/selection.ts';
import type { Fix } from '../model/traffic-report.ts';
import { type Finding, findingsOf } from '../render/hubble/traffic-findings.ts';
import { edgeKey } from '../render/hubble/traffic-layout.ts';
import { type Chosen, FixDetails } from './panel.tsx';

interface FindingsProps {
  shown: Shown;
  fixes: readonly Fix[];
  /** Events that Hubble lost. */
  lost: number;
  /** Why nothing is shown; undefined where something is. */
  nothing: string | undefined;
  /** Whether filter or time leave something out. */
  isPart: boolean;
  /** Whether a part of the time is shown. */
  isPeriod: boolean;
  onChoose: (chosen: Chosen) => void;
}

/** Findings that are shown at first: the first screen has room for no more. */
const FIRST = 3;

/** What went wrong, in words, what matters most first. */
export function Findings({ shown, fixes, lost, nothing, isPart, isPeriod, onChoose }: FindingsProps) {
  const [all, setAll] = useState(false);
  const findings = findingsOf({ ...shown, fixes, isPeriod });
  const place = useSteady(isPeriod);
  return (
    <section ref={place} class="findings" aria-labelledby="went-wrong">
      <h2 id="went-wrong">What went wrong</h2>
      {nothing && <p>{nothing}</p>}
      {findings.length === 0 && !nothing && (
        <p class="muted">
          {isPart ? 'Nothing in what is shown' : 'Nothing'}, as far as these flows say: none was dropped, and
          no answer was an error.{lost > 0 && ' Events were lost, so that something may be missing.'}
        </p>
      )}
      <ol>
        {findings.slice(0, all ? findings.length : FIRST).map((finding) => (
          <FindingItem
            key={`${finding.kind} ${finding.client} ${finding.server} ${finding.drop} ${finding.what}`}
            finding={finding}
            fix={fixes.find(
              ({ client, server, drop }) =>
                client === finding.client && server === finding.server && drop === finding.drop,
            )}
            onChoose={onChoose}
          />
        ))}
      </ol>
      {findings.length > FIRST && (
        <button type="button" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? `Show the first ${FIRST}` : `Show all ${findings.length}`}
        </button>
      )}
    </section>
  );
}

/** Keeps a place as high as it was while a part of the time is chosen: what is below must not move under who chooses it. */
function useSteady(isPeriod: boolean) {
  const place = useRef<HTMLElement>(null);
  const height = useRef(0);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    element.style.minHeight = isPeriod ? `${height.current}px` : '';
    height.current = element.getBoundingClientRect().height;
  });
  return place;
}

interface ItemProps {
  finding: Finding;
  fix: Fix | undefined;
  onChoose: (chosen: Chosen) => void;
}

function FindingItem({ finding, fix, onChoose }: ItemProps) {
  const { what, why, seen, look } = finding;
  return (
    <li>
      <button
        type="button"
        class="link finding clamped"
        onClick={() => onChoose({ kind: 'edge', key: edgeKey(finding) })}
      >
        {what}
      </button>
      <p class="clamped">{why}</p>
      <p class="muted clamped">
        {seen}.
        {look && (
          <>
            {' '}
            Look at <code>{look.command}</code>: {look.at}.
          </>
        )}
      </p>
      {fix?.yaml !== undefined && <FixDetails fix={fix} />}
    </li>
  );
}
