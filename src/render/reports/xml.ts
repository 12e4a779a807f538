import { STEERING } from '../text/sanitize.ts';

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Escapes the content of an XML element, also what a terminal that shows the report would act upon. */
export function xmlText(text: string): string {
  // XML 1.0 cannot represent most control characters, nor half a surrogate pair.
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"]/g, (c) => ESCAPES[c] ?? c)
    .replaceAll('\r', '&#xd;')
    .replace(STEERING, (c) => `&#x${c.charCodeAt(0).toString(16)};`);
}

/** The same for an attribute, where a reader would turn a tab or a line break into a space. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/[\t\n]/g, (c) => (c === '\t' ? '&#x9;' : '&#xa;'));
}
