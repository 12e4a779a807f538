import { constants, gunzipSync } from 'node:zlib';
import { isSecretName, REDACTED } from './keys.ts';
import type { TextRule } from './rule.ts';
import { TEXT_RULES } from './rules.ts';

/** Told of each secret that was replaced. */
export type OnRedaction = (rule: string) => void;

/** Groups of a pattern that hold secrets. */
const SECRET_GROUPS = ['secret', 'single', 'escaped', 'list', 'below', 'row', 'items', 'cut'] as const;
/** Text that is packed several times is looked at so deep. */
const MAX_DEPTH = 4;
const MAX_UNPACKED = 16 * 1024 * 1024;
/** The name of what is found within base64. */
const PACKED = 'packed';
const BASE64 =
  /(?:(?<![A-Za-z0-9+/_\\-])|(?<=\\[nrt]))[A-Za-z0-9+/_-]{16,}={0,2}(?:(?:\r?\n[ \t]*|\\+n)[A-Za-z0-9+/_-]{16,}={0,2})*/g;

/** Replaces the secrets in a text of bytes (latin1). */
export function redactText(text: string, tell: OnRedaction, depth = 0): string {
  const plain = plainNames(text);
  let out = depth < MAX_DEPTH ? redactCoded(redactEscaped(plain, tell, depth), tell, depth) : plain;
  for (const rule of TEXT_RULES) out = applyRule(rule, out, tell);
  return redactPacked(out, tell, depth);
}

/** A name in which a letter is escaped. */
const ESCAPED_NAME = /"(?=[^"\n]{0,80}\\u00[2-7])[^"\n]{1,120}"(?=\s*:)/g;

/** The text with names of secrets as they are read, whichever of their letters are escaped. */
function plainNames(text: string): string {
  if (!text.includes('\\u00')) return text;
  return text.replace(ESCAPED_NAME, (found) => {
    const name = found.replace(/\\+u00([2-7][0-9a-f])/gi, (escaped, code: string) => {
      const letter = String.fromCharCode(Number.parseInt(code, 16));
      return /[\w.-]/.test(letter) ? letter : escaped;
    });
    return isSecretName(name) ? name : found;
  });
}

function applyRule(rule: TextRule, text: string, tell: OnRedaction): string {
  const { name, pattern, needs, isMeant, inner } = rule;
  if (needs !== undefined && !needs.test(text)) return text;
  let [out, at] = ['', 0];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const groups = match.groups ?? {};
    const start = match.index;
    const end = start + match[0].length;
    // Of a match that is not meant a part may be one.
    if (isMeant && !isMeant(groups, { text, start, end })) {
      pattern.lastIndex = start + 1;
      continue;
    }
    const secret = SECRET_GROUPS.map((one) => groups[one]).find((one) => one !== undefined) ?? '';
    const from = start + match[0].lastIndexOf(secret);
    if (inner !== undefined) {
      // What is meant may stand deeper in it again.
      const within = applyRule(inner(groups, { text, start, end }), secret, tell);
      const clean = applyRule(rule, within, tell);
      if (clean !== secret) {
        out += text.slice(at, from) + clean;
        at = from + secret.length;
      }
    } else if (secret.trim() !== REDACTED) {
      const kept = /^\s*/.exec(secret)?.[0] ?? '';
      const ending = /\s*$/.exec(secret)?.[0] ?? '';
      out += text.slice(at, from) + kept + REDACTED + ending;
      at = from + secret.length;
      // What came in two pieces is one secret.
      if (!secret.trim().startsWith(REDACTED)) tell(name);
    }
    pattern.lastIndex = Math.max(end, start + 1);
  }
  return at === 0 ? text : out + text.slice(at);
}

/** Strings of JSON in which an end of a line, a tab or a quote is escaped. */
const ESCAPED = /(?<!\\)"(?:[^"\\\n]|\\[^nt\n])*?\\{1,8}["nt](?:[^"\\\n]|\\.)*"/g;

/** Looks at such strings as the text that they stand for; those without a secret stay byte for byte. */
function redactEscaped(text: string, tell: OnRedaction, depth: number): string {
  if (!/\\[nt"]/.test(text)) return text;
  return text.replace(ESCAPED, (found) => {
    try {
      // Bytes of UTF-8 are kept apart from characters that are escaped.
      const inner = String(
        JSON.parse(found.replace(/[\x80-\xff]/g, (c) => String.fromCharCode(0xe000 + c.charCodeAt(0)))),
      );
      const clean = redactText(inner, tell, depth + 1);
      if (clean === inner) return found;
      return JSON.stringify(clean).replace(/[\u0080-\uffff]/g, (c) => {
        const code = c.charCodeAt(0);
        return code >= 0xe080 && code <= 0xe0ff
          ? String.fromCharCode(code - 0xe000)
          : `\\u${code.toString(16).padStart(4, '0')}`;
      });
    } catch {
      return found;
    }
  });
}

/** A part of an address in which characters are coded. */
const CODED = /(?:[\w.~!*()+'-]|%[0-9A-Fa-f]{2}){8,}/g;

/** Looks at such parts as the text that they stand for. */
function redactCoded(text: string, tell: OnRedaction, depth: number): string {
  if (!/%[0-9A-Fa-f]{2}/.test(text)) return text;
  return text.replace(CODED, (found) => {
    if (!found.includes('%')) return found;
    const inner = found.replace(/%([0-9A-Fa-f]{2})/g, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
    const clean = redactText(inner, tell, depth + 1);
    if (clean === inner) return found;
    return clean.replace(
      /[^\w.~!*()+'-]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
  });
}

/** Replaces what is packed as base64, or as gzip in it, and holds a secret. */
function redactPacked(text: string, tell: OnRedaction, depth: number): string {
  if (depth >= MAX_DEPTH) return text;
  return text.replace(BASE64, (found) => {
    if (!/[A-Z]/.test(found)) return found;
    if (holdsSecret(found.replace(/\s+|\\+n/g, ''), depth)) {
      tell(PACKED);
      return REDACTED;
    }
    if (!/\s|\\n/.test(found)) return found;
    return found.replace(/[A-Za-z0-9+/_-]{16,}={0,2}/g, (line) => {
      if (!holdsSecret(line, depth)) return line;
      tell(PACKED);
      return REDACTED;
    });
  });
}

function holdsSecret(base64: string, depth: number): boolean {
  // Names and numbers: text that is packed has letters of both sizes.
  if (!/[A-Z]/.test(base64) || !/[a-z]/.test(base64) || base64.includes(REDACTED)) return false;
  const bytes = Buffer.from(base64, 'base64');
  const unpacked = bytes[0] === 0x1f && bytes[1] === 0x8b ? unzipped(bytes) : bytes;
  if (unpacked === undefined || !isText(unpacked)) return false;
  let isFound = false;
  redactText(
    unpacked.toString('latin1'),
    () => {
      isFound = true;
    },
    depth + 1,
  );
  return isFound;
}

/** As much as there is of it. */
function unzipped(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED, finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** Whether bytes read as text: few of them are none of its characters. */
function isText(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, 4096);
  // The environment of a process has an end behind each variable.
  const isEnvironment = /^[A-Za-z_]\w*=[^\0]*\0/.test(sample.toString('latin1'));
  let odd = 0;
  for (const byte of sample)
    if (
      (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && !(byte === 0 && isEnvironment)) ||
      byte === 0x7f
    )
      odd++;
  const high = sample.reduce((sum, byte) => sum + (byte >= 0x80 ? 1 : 0), 0);
  return odd * 50 <= sample.length && high * 4 <= sample.length;
}
