import { isSecretValue } from './keys.ts';

/** A rule for text, whatever it is part of. */
export interface TextRule {
  name: string;
  /** What it is about, for people. */
  about: string;
  pattern: RegExp;
  /** What every text with a match has; where it is quicker to look for. */
  needs?: RegExp;
  /**
   * Whether a match is meant; absent, each is. What is a secret in it are its groups of such names, the first of them that took part.
   */
  isMeant?: (groups: Groups, around: Around) => boolean;
  /** The rule for what is a secret within that group, where not all of it is. */
  inner?: (groups: Groups, around: Around) => TextRule;
}

/** What the groups of a pattern matched. */
export type Groups = Readonly<Record<string, string | undefined>>;

/** Where a match stands. */
export interface Around {
  text: string;
  start: number;
  end: number;
}

/** Words that begin or are the telling part of a secret's name. */
export const STEMS =
  'passw|passphrase|passcode|[-_.]pass(?![a-z])|pwd|pw(?![a-z])|keytab|authtok|secret|token|api[-_. ]?key|access[-_. ]?key|private[-_. ]?key|encrypt(?:ion)?[-_]?key|signing[-_]?key|(?:luks|unseal|recovery|hmac|aes|decryption|wrapping)[-_ ]?key|snmp[-_]?community|community[-_]?string|shared[-_]?key|account[-_]?key|pre-?shared[-_ ]?key|master[-_]?key|auth[-_]?key|ssh[-_]?key|ipsec[-_]?key|licen[cs]e[-_]?key|client-key-data|tls\\.key|ca\\.key|credential|authorization|psk|connection[-_]?string|dsn|(?<![a-z])sas(?![a-z])|(?:client|saml)[-_]?(?:assertion|response)|dockerconfigjson|dockercfg|key[-_]?material|webhook[-_]?url';
/** A quote, however often it was escaped. */
export const QUOTE = '\\\\*["\']';

/** The name that a match is the end of. */
export function nameOf({ text, start }: Around, end: string): string {
  let from = start;
  while (from > 0 && start - from < 64 && /[\w.-]/.test(text[from - 1] ?? '')) from--;
  return text.slice(from, start) + end;
}

/** How far a name stands from where its line begins. */
export function indentOf({ text, start }: Around): number {
  const line = text.lastIndexOf('\n', start - 1) + 1;
  return /^[ \t-]*/.exec(text.slice(line, start))?.[0].length ?? 0;
}

/** Whether a name begins its line but for white space, dashes and the time that logs begin with. */
export function beginsLine({ text, start }: Around): boolean {
  const before = text.slice(Math.max(0, start - 200), start);
  return /^(?:\d{4}-\d\d-\d\dT\S+ )?[ \t-]*[\w.-]*$/.test(before.slice(before.lastIndexOf('\n') + 1));
}

/** Whether a name begins a text in quotes, or a line within one whose ends of lines are escaped. */
export function beginsQuoted({ text, start }: Around): boolean {
  return /(?:\\{1,8}n|["'])(?:[ -]|\\{1,8}t)*[\w.-]*$/.test(text.slice(Math.max(0, start - 200), start));
}

export function decodes(value: string | undefined, test: RegExp): boolean {
  return value !== undefined && test.test(Buffer.from(value, 'base64').toString('latin1'));
}

export const isSecret = ({ secret = '' }: Groups) => isSecretValue(secret);
