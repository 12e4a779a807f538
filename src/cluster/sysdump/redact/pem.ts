import { isSecretValue } from './keys.ts';
import type { TextRule } from './rule.ts';

/** A space within the marks, also as addresses have it. */
const SPACE = '(?: |\\+|%20)';
const MARK = (word: string) =>
  `-{4,5}${SPACE}?${word}${SPACE}(?:[A-Z0-9]{1,12}${SPACE}){0,4}PRIVATE${SPACE}KEY(?:${SPACE}BLOCK)?${SPACE}?-{4,5}`;
/** What stands between two lines of a key: of YAML, of code, of mail, of a log, of an address, and headers. */
const BETWEEN =
  '(?:[\\s"\'|+,>#*]|\\\\+[nrt]|%0[AaDd]|\\d{4}-\\d\\d-\\d\\dT[\\w:.+-]{1,40}[ \\t]|(?:Proc-Type|DEK-Info|Version|Comment): [^\\n\\\\]{1,120}(?:\\n|\\\\+n))';
const BASE64 = '(?:[A-Za-z0-9+/=]|%(?:2[BbFf]|3[Dd]))';

/** Private keys as PEM and its kin have them. */
export const PEM_RULES: readonly TextRule[] = [
  {
    name: 'private-key',
    about: 'private keys in PEM',
    pattern: new RegExp(
      `${MARK('BEGIN')}(?<secret>(?:(?!-{4,5}${SPACE}?BEGIN${SPACE})[\\s\\S]){1,16000}?)-{4,5}${SPACE}?END${SPACE}`,
      'g',
    ),
    isMeant: ({ secret = '' }) => isSecretValue(secret.replace(/\\+[nrt]/g, '')),
  },
  {
    name: 'private-key',
    about: 'private keys in PEM that are cut off',
    pattern: new RegExp(
      `${MARK('BEGIN')}(?<secret>(?:${BETWEEN}*(?:REDACTED${BASE64}*|${BASE64}{24,}))+)`,
      'g',
    ),
  },
  {
    name: 'private-key',
    about: 'private keys in PEM of which the beginning is cut off',
    needs: new RegExp(MARK('END')),
    pattern: new RegExp(
      `(?<![A-Za-z0-9+/=-])(?<secret>(?:${BASE64}{24,}${BETWEEN}+){1,200}(?:${BASE64}{1,76}${BETWEEN}+)?)${MARK('END')}`,
      'g',
    ),
  },
  {
    name: 'json-web-key',
    about: 'the secret parts of JSON Web Keys',
    needs: /kty\\*"/,
    pattern: /(?<=")(?:d|p|q|dp|dq|qi|k)\\*"\s*:\s*\\*"(?<secret>[\w-]{20,})/g,
    isMeant: ({ secret = '' }, { text, start, end }) =>
      isSecretValue(secret) &&
      /"kty\\*"/.test(text.slice(text.lastIndexOf('{', start), text.indexOf('}', end) + 1 || end + 4000)),
  },
];
