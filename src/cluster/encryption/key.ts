import { UserError } from '../../errors.ts';

/** Algorithms that a key can be made for, by the names that the flag `--auth-algo` has for them. */
export const KEY_ALGORITHMS = ['rfc4106-gcm-aes', 'cbc-aes-sha256', 'cbc-aes-sha512'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

/** The key that the agents of a cluster encrypt with. What is secret in it are `key` and `cipher.key`. */
export interface IpsecKey {
  /** Which of a node's keys a packet was encrypted with: 1 to 15. */
  spi: number;
  /** As the kernel calls it: of authentication, or of both where there is no cipher of its own. */
  algorithm: string;
  /** Hexadecimal digits. */
  key: string;
  /** Bits of the integrity value, where the algorithm does both; else the cipher. */
  rest: { size: number } | { cipher: string; key: string };
}

/** Gives so many random bytes that nobody can foretell. */
export type RandomBytes = (size: number) => Uint8Array;

/** Digits of a new key. */
const SHAPES: Readonly<Record<KeyAlgorithm, { algorithm: string; digits: number; cipherDigits?: number }>> = {
  'rfc4106-gcm-aes': { algorithm: 'rfc4106(gcm(aes))', digits: 40 },
  'cbc-aes-sha256': { algorithm: 'hmac(sha256)', digits: 32, cipherDigits: 32 },
  'cbc-aes-sha512': { algorithm: 'hmac(sha512)', digits: 64, cipherDigits: 32 },
};
const CIPHER = 'cbc(aes)';
const SIZE = 128;
/** SPIs of Cilium have four bits, and 0 means no encryption. */
const MAX_SPI = 15;

const LINE = /^(\d+)\+?\s(\S+)\s([0-9A-Za-z]+)\s(?:(\d+)|(\S+)\s([0-9A-Za-z]+))$/;

/** Reads what the Secret holds. Throws UserError, which never shows the key, where it is none. */
export function parseKey(text: string): IpsecKey {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length > 1)
    throw new UserError(`IPsec key has unsupported format: there are ${lines.length} lines`, {
      hint: 'A Secret with several keys is rotated by hand: the last line is the one in use.',
    });
  const found = LINE.exec(lines[0]?.trim() ?? '');
  if (!found) throw new UserError('IPsec key has unsupported format');
  const [, spi = '', algorithm = '', key = '', size, cipher = '', cipherKey = ''] = found;
  const rest = size === undefined ? { cipher, key: cipherKey } : { size: Number(size) };
  return { spi: Number(spi), algorithm, key, rest };
}

/** As the agents read it. */
export function formatKey({ spi, algorithm, key, rest }: IpsecKey): string {
  const end = 'size' in rest ? String(rest.size) : `${rest.cipher} ${rest.key}`;
  // The plus sign means a key of its own for each pair of nodes, made of this one.
  return `${spi}+ ${algorithm} ${key} ${end}`;
}

/** The same with how long each secret part is in its place. */
export function describeKey(key: IpsecKey): string {
  const hidden = (digits: string) => `<${digits.length} digits, --show-secret shows them>`;
  const { rest } = key;
  return formatKey({
    ...key,
    key: hidden(key.key),
    rest: 'size' in rest ? rest : { ...rest, key: hidden(rest.key) },
  });
}

/** The same of what a Secret holds, whatever that is: of what is no key nothing is known to be harmless. */
export function hiddenKey(text: string): string {
  try {
    return describeKey(parseKey(text));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `<${text.length} characters in a form that is not known, --show-secret shows them>`;
  }
}

/** A new key: the one that follows another, or the first. */
export function newKey(algorithm: KeyAlgorithm, random: RandomBytes, after?: IpsecKey): IpsecKey {
  const { algorithm: name, digits, cipherDigits } = SHAPES[algorithm];
  return {
    spi: nextSpi(after?.spi ?? 0),
    algorithm: name,
    key: digitsOf(digits, random),
    rest:
      cipherDigits === undefined ? { size: SIZE } : { cipher: CIPHER, key: digitsOf(cipherDigits, random) },
  };
}

/** The key that follows another, of the same algorithm and lengths. */
export function rotateKey(old: IpsecKey, random: RandomBytes): IpsecKey {
  const { rest } = old;
  return {
    ...old,
    spi: nextSpi(old.spi),
    key: like(old.key, random),
    rest: 'size' in rest ? rest : { ...rest, key: like(rest.key, random) },
  };
}

function nextSpi(spi: number): number {
  return spi >= MAX_SPI ? 1 : spi + 1;
}

/** As many digits as a key has, which may be marked as hexadecimal. */
function like(key: string, random: RandomBytes): string {
  const [, mark = '', digits = ''] = /^(0x)?(.*)$/.exec(key) ?? [];
  if (digits.length % 2 !== 0)
    throw new UserError(`the IPsec key has ${digits.length} digits: two are expected for each byte`);
  return mark + digitsOf(digits.length, random);
}

function digitsOf(count: number, random: RandomBytes): string {
  return Array.from(random(count / 2), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
