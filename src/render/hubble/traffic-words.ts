import type { EdgeWithEnds, TrafficNode } from '../../model/traffic.ts';
import type { Fix } from '../../model/traffic-report.ts';
import { nodeText } from './traffic.ts';
import { findingsOf } from './traffic-findings.ts';

/** Whether a filter is made of words to look for, and no expression. */
export function isWords(text: string): boolean {
  return !/[=~<>!()[\]"']|(^|\s)(and|or|not|in)(\s|$)/i.test(text);
}

/**
 * A test of edges: each word stands in something that a page prints of the edge, as the names of its ends with their namespaces,
 * pods, ports, policies, reasons. A number is looked for whole, so that 53 does not mean 5353. What has an arrow, or looks like an
 * expression, is looked for as it stands: it may be a line that is printed.
 */
export function wordsTest(text: string, fixes: readonly Fix[]): (item: EdgeWithEnds) => boolean {
  const whole = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  const words = isWords(whole) && !whole.includes('→') ? whole.split(' ') : [whole];
  const tests = words.map((word) =>
    /^\d+$/.test(word)
      ? (printed: string) => printed.split(/[^\p{L}\p{N}]+/u).includes(word)
      : (printed: string) => holds(printed, word),
  );
  return (item) => {
    const printed = printedOf(item, fixes).map((each) => each.toLowerCase());
    return tests.every((test) => printed.some(test));
  };
}

/** Whether a word is part of a text; digits at its ends are all that stand there. */
function holds(printed: string, word: string): boolean {
  for (let at = printed.indexOf(word); at !== -1; at = printed.indexOf(word, at + 1)) {
    const [before = '', after = ''] = [printed[at - 1], printed[at + word.length]];
    if (!(/^\d/.test(word) && /\d/.test(before)) && !(/\d$/.test(word) && /\d/.test(after))) return true;
  }
  return false;
}

/** All names that are printed of an edge. */
function printedOf({ edge, client, server }: EdgeWithEnds, fixes: readonly Fix[]): string[] {
  const own = fixes.filter((fix) => fix.client === edge.client && fix.server === edge.server);
  const names = (counts: readonly { name: string }[] = []) => counts.map(({ name }) => name);
  return [
    `${nodeText(client)} → ${nodeText(server)}`,
    ...[client, server].flatMap(namesOf),
    ...findingsOf({
      ...{ nodes: [client, server], edges: [edge], fixes: own },
      ...{ firstMs: undefined, lastMs: undefined },
    }).map(({ what }) => what),
    ...names(edge.ports),
    ...names(edge.verdicts),
    ...names(edge.policies),
    ...edge.drops
      .filter(({ flows }) => flows > 0)
      .flatMap(({ reason, port, direction, policies }) => [reason, port, direction ?? '', ...policies]),
    ...names(edge.http?.codes),
    ...names(edge.http?.paths),
    ...names(edge.dns?.failures),
    ...own.flatMap(({ decision }) => (decision ? [decision.subject, ...decision.by] : [])),
  ];
}

function namesOf(node: TrafficNode): string[] {
  return [
    nodeText(node),
    node.workload ?? node.kind,
    ...node.services.map((name) => `service ${name}`),
    ...node.pods,
  ];
}
