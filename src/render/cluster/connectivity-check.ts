import type { Attempt } from '../../cluster/connectivity/attempt.ts';
import { flowText } from '../../cluster/connectivity/evidence-text.ts';
import type { Evidence, Suspect } from '../../cluster/connectivity/suspect.ts';

/** A try of one of the addresses that a path leads to. */
export interface TriedAddress extends Attempt {
  to: string;
}

/** What is known of a path between two ends that are there. */
export interface PathReport {
  from: { name: string; address: string; node: string };
  to: { name: string; address: string; node: string };
  evidence: Evidence;
  tried: readonly TriedAddress[];
  /** Why nothing was tried. */
  notTried?: string;
  /** `works`, `fails` or `unknown`. */
  result: 'works' | 'fails' | 'unknown';
  suspect?: Suspect;
}

const WORDS = { works: 'the connection works', fails: 'the connection does not work', unknown: 'not known' };

/** A path with what the rules say of it, what was tried and what flows show. */
export function renderPath({ from, to, evidence, tried, notTried, result, suspect }: PathReport): string {
  const end = ({ name, address, node }: PathReport['from']) =>
    `${name}${address === '' || address === name ? '' : ` (${address})`}${node === '' ? '' : ` on ${node}`}`;
  const { decided, decidedTrouble, flows, flowsTrouble } = evidence;
  const lines = [`From:     ${end(from)}`, `To:       ${end(to)}`];
  if (decided)
    lines.push(
      `Policy:   ${decided.verdict}`,
      `  egress  ${decided.egress.answer}: ${decided.egress.text}`,
      `  ingress ${decided.ingress.answer}: ${decided.ingress.text}`,
    );
  else lines.push(`Policy:   not known: ${decidedTrouble ?? 'it was not asked'}`);
  for (const { tool, to: address, connected, detail } of tried)
    lines.push(
      `Tried:    ${address} with ${tool}: ${connected === undefined ? 'cannot be told' : connected ? 'connected' : 'not connected'} (${detail})`,
    );
  if (notTried !== undefined) lines.push(`Tried:    nothing: ${notTried}`);
  if (flowsTrouble !== undefined) lines.push(`Flows:    not read: ${flowsTrouble}`);
  if (flows.length > 0) lines.push('Flows:', ...flows.slice(-10).map((flow) => `  ${flowText(flow)}`));
  else if (flowsTrouble === undefined) lines.push('Flows:    none that Hubble still has');
  lines.push(`Result:   ${WORDS[result]}`);
  if (suspect) lines.push(`Suspect:  ${suspect.sentence}`, ...suspect.because.map((line) => `  - ${line}`));
  return `${lines.join('\n')}\n`;
}
