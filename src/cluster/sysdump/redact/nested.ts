import { isSecretField, isSecretName, isSecretValue } from './keys.ts';
import {
  type Around,
  beginsLine,
  beginsQuoted,
  indentOf,
  nameOf,
  QUOTE,
  STEMS,
  type TextRule,
} from './rule.ts';

/** A line that is a value, and no name with a value of its own. */
const PLAIN_LINE = '(?:"[^"\\n]*"|\'[^\'\\n]*\'|(?![#{[|>&*!])(?![^\\n]*:(?:\\s|$))[^\\s][^\\n]*)';
/** One string of a list, as JSON has them. */
const ITEM = '(?:[^"\\\\\\n]|\\\\.){0,8192}';

/** Names of secrets with values that are further away: lists, lines below and markup. */
const NESTED = new RegExp(
  `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${[
    // - x below it
    `(?:${QUOTE})?:[ \\t]*\\r?\\n(?:[ \\t]*#[^\\n]*\\n)*(?<dash>[ \\t]*-[ \\t]+)(?<list>${PLAIN_LINE}(?:\\n\\k<dash>${PLAIN_LINE})*)`,
    // x below it, and deeper
    `:[ \\t]*\\r?\\n(?<deep>[ \\t]+)(?!-\\s)(?<below>${PLAIN_LINE}(?:\\n\\k<deep>(?!-\\s)${PLAIN_LINE})*)`,
    // ["x", "y"]
    `(?:${QUOTE})?\\s{0,4}[:=]\\s{0,4}\\[\\s*(?:"(?<secret>${ITEM}(?:"\\s*,\\s*"${ITEM})*)"|'(?<items>[^'\\n]{0,8192}(?:'\\s*,\\s*'[^'\\n]{0,8192})*)'|(?<quote>\\\\+")(?<escaped>(?:(?!\\k<quote>)[^\\n]){0,8192}(?:\\k<quote>\\s*,\\s*\\k<quote>(?:(?!\\k<quote>)[^\\n]){0,8192})*)\\k<quote>)`,
    // [x, y]
    `:[ \\t]+\\[(?<row>[^\\]\\n"{}\\\\]+)`,
    // <x>y</x>
    `(?:\\s[^<>&\\n]{0,200})?(?:>|&gt;)(?:<!\\[CDATA\\[)?\\s{0,64}(?<single>[^<>\\s][^<>\\n]{0,8191}?)(?=\\]\\]>|\\s{0,64}(?:</|&lt;/))`,
  ].join('|')})`,
  'gi',
);

function isMarkup({ text, start }: Around): boolean {
  return /(?:<|&lt;)[\w:.-]*$/.test(text.slice(Math.max(0, start - 100), start));
}

/** Rules for values that are not beside their name. */
export const NESTED_RULES: readonly TextRule[] = [
  {
    name: 'secret-by-name',
    about: 'lists, lines below and markup under a name of secrets',
    pattern: NESTED,
    isMeant: ({ name = '', deep, list, below, secret, escaped, row, items, single }, around) => {
      const value = list ?? below ?? secret ?? escaped ?? row ?? items ?? single ?? '';
      if (!value.split(/\n[ \t]*-[ \t]+|\\*["']|,|\s+/).some(isSecretValue)) return false;
      const whole = nameOf(around, name);
      if (single !== undefined) return isMarkup(around) && isSecretName(whole);
      if (below !== undefined)
        return beginsLine(around) && isSecretName(whole) && (deep ?? '').length > indentOf(around);
      if (list !== undefined && !beginsLine(around)) return false;
      if (row !== undefined && !beginsLine(around) && !beginsQuoted(around)) return false;
      return isSecretName(whole) || isSecretName(whole.replace(/s$/i, ''));
    },
  },
  {
    name: 'named-value',
    about: 'values beside a name in markup',
    pattern:
      /\b(?:name|key)=\\*["'](?<name>[\w.-]{2,80})\\*["'](?:\s+value=\\*["']|>)(?<secret>[^"'<>\n\\]{1,8192})/g,
    isMeant: ({ name = '', secret = '' }) => isSecretName(name) && isSecretValue(secret),
  },
  {
    name: 'secret-by-name',
    about: 'keys of many digits',
    pattern:
      /(?<name>keys?)(?:\\*["'])?\]?\s{0,4}(?:=>|:=|[:=])\s{0,4}(?:\\*["'])?(?<secret>(?:0x)?[0-9a-f]{32,})(?![\w.:-])/gi,
    isMeant: ({ name = '', secret = '' }, around) => isSecretField(nameOf(around, name), secret),
  },
];
