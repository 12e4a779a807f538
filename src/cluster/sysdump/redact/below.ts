import { isNameOfSecrets, isRandom, isSecretName, isSecretValue } from './keys.ts';
import { type Around, beginsLine, indentOf, nameOf, QUOTE, STEMS, type TextRule } from './rule.ts';

/** What a secret is called below the name that tells what it is. */
const VALUE_NAME =
  /^(?:(?:raw|string|plain|inline|secret)[-_]?)?(?:value|text|string|bytes)$|^(?:content|literal|plain|data|hash)$/i;
/** Names of what is beside a secret. */
const BESIDE =
  /(?:name|ref|file|path|url|namespace|policy|algorithm|type|kind|audience|description|expir\w*|at|ttl|duration)$/i;

/** Whether the fields below a name are all secrets, by what each is for. */
export function isMapOfSecrets(name: string): boolean {
  return /passw(?:or)?ds$|passphrases$/i.test(name) || isNameOfSecrets(name);
}

/** Whether a field below a name of secrets is one. */
export function isSecretBelow(above: string, name: string, value: string): boolean {
  if (!isSecretValue(value)) return false;
  if (VALUE_NAME.test(name)) return true;
  if (/keys$/i.test(above) && /^key$/i.test(name)) return isRandom(value);
  if (BESIDE.test(name)) return false;
  // Elsewhere there are names of Secrets and of users, too.
  return isMapOfSecrets(above) ? /\D/.test(value) : /credentials?$/i.test(above) && isRandom(value);
}

const TEXT = `(?:"(?<secret>(?:[^"\\\\\\n]|\\\\.)+)"|'(?<single>[^'\\n]+)'|(?<quote>\\\\+["'])(?<escaped>(?:(?!\\k<quote>)[^\\n])+?)\\k<quote>|(?<cut>[^\\s"'\\\\{}[\\],|>&*!][^\\n"{}\\],]*))`;
const FIELD = new RegExp(
  `(?<![\\w.@-])(?<name>[\\w.@-]{1,80})(?:${QUOTE})?\\s{0,4}[:=]\\s{0,64}${TEXT}`,
  'g',
);
const LINE = new RegExp(
  `(?<=^[ \\t]*(?:-[ \\t]+)?["']?)(?<name>[\\w.@-]{1,80})["']?:[ \\t]+${TEXT.replace('[^\\n"{}\\],]*', '[^\\n]*')}`,
  'gm',
);

/** The rule for the fields below a name. */
function fieldsOf(above: string, pattern: RegExp): TextRule {
  return {
    name: 'secret-by-name',
    about: 'fields below a name of secrets',
    pattern,
    isMeant: ({ name = '', secret, single, escaped, cut }) =>
      isSecretBelow(above, name, (secret ?? single ?? escaped ?? cut ?? '').trim()),
  };
}

/** What stands below a name of secrets: objects, lists of them, and the same in YAML. */
export const BELOW_RULE: TextRule = {
  name: 'secret-by-name',
  about: 'fields below a name of secrets',
  pattern: new RegExp(
    `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${QUOTE})?(?:${[
      // {"a": "x"}
      `\\s{0,4}[:=]\\s{0,4}\\{(?<secret>[^{}]{1,8192})\\}`,
      // [{"value": "x"}]
      `\\s{0,4}[:=]\\s{0,4}\\[(?<items>\\s*\\{[^[\\]]{1,16000})\\]`,
      // a: x, below it and deeper
      `:[ \\t]*\\r?\\n(?<deep>[ \\t]+)(?!-[ \\t])(?<below>[^\\s#][^\\n]*(?:\\n\\k<deep>[^\\n]+){0,200})`,
      // - value: x
      `:[ \\t]*\\r?\\n(?<side>[ \\t]*)(?<list>-[ \\t][^\\n]*(?:\\n\\k<side>(?:-[ \\t]|[ \\t])[^\\n]+){0,200})`,
    ].join('|')})`,
    'gi',
  ),
  isMeant: ({ name = '', deep, side }, around) => {
    const whole = nameOf(around, name);
    if (!isSecretName(whole) && !isMapOfSecrets(whole)) return false;
    if (deep !== undefined) return beginsLine(around) && deep.length > indentOf(around);
    return side === undefined || (beginsLine(around) && side.length >= spacesOf(around));
  },
  inner: ({ name = '', below, list }, around) =>
    fieldsOf(nameOf(around, name), below === undefined && list === undefined ? FIELD : LINE),
};

/** How far in the line stands that a name begins. */
function spacesOf({ text, start }: Around): number {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line, start))?.[0].length ?? 0;
}
