import { formatJson } from '../../lib/exact-json.ts';
import type { TrafficReport } from '../../model/traffic-report.ts';
import { type PageParts, servedPage, wholePage } from './shell.ts';

/**
 * JSON that can stand in an element of HTML: no `<` can end the element, and no line separator is left. Names from a cluster
 * come to the page in this way alone, as data.
 */
export function embeddedJson(value: unknown): string {
  return (formatJson(value) ?? 'null')
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/** A report in one file. */
export function renderReportPage(report: TrafficReport, parts: PageParts): string {
  const body = `<div id="page"></div>
<script type="application/json" id="data">${embeddedJson(report)}</script>`;
  return wholePage('Hubble report', body, parts, parts.script);
}

/** The page that a program serves: script, style and data are fetched from it. */
export const SERVED_PAGE = servedPage(
  'Hubble',
  `<div id="page"><p>Waiting for the first flows.</p></div>
<script src="page.js"></script>`,
);
