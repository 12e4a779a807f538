import { X509Certificate } from 'node:crypto';
import { hiddenKey, parseKey } from '../encryption/key.ts';

/** What a Secret holds, and with that what of it may be shown. */
export type SecretForm = 'authority' | 'mesh' | 'ipsec';

/** What an archive holds of a Secret: no value of it, but for what our verbs print of it. */
export interface SecretFacts {
  name: string;
  namespace: string;
  isThere: boolean;
  /** Names of all its keys. */
  keys: string[];
  /** What may be shown, by key. */
  shown: { key: string; text: string }[];
  /** Why something that verbs print is not shown. */
  withheld?: string;
}

/** The fields whose values verbs print, where a form names them. */
const AUTHORITY = ['ca.crt', 'tls.crt'];
const IPSEC = 'keys';

/** Reads what may be shown out of the values of a Secret. Nothing else of them is in the result. */
export function shownOf(
  form: SecretForm,
  values: Readonly<Record<string, string>>,
): Pick<SecretFacts, 'shown' | 'withheld'> {
  const shown: SecretFacts['shown'] = [];
  const withheld: string[] = [];
  const show = (key: string, text: string | undefined, why: string) => {
    if (text === undefined) withheld.push(`${key} ${why}`);
    else shown.push({ key, text });
  };
  for (const [key, value] of Object.entries(values))
    if (form === 'authority' && AUTHORITY.includes(key))
      show(key, certificates(value), 'holds something else than certificates');
    else if (form === 'ipsec' && key === IPSEC)
      show(key, describedKey(value), 'is of a form that is not known');
    else if (form === 'mesh' && value.includes('endpoints:')) shown.push({ key, text: endpoints(value) });
  return { shown, ...(withheld.length > 0 && { withheld: withheld.join(', ') }) };
}

const BLOCK = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----/g;

/** The text where it is certificates and nothing beside. */
function certificates(text: string): string | undefined {
  const blocks = text.match(BLOCK) ?? [];
  if (blocks.length === 0 || text.replace(BLOCK, '').trim() !== '') return undefined;
  try {
    // What a certificate is followed by within its block is none of it.
    const areWhole = blocks.every(
      (block) =>
        new X509Certificate(block).raw.length ===
        Buffer.from(block.replace(/-----[A-Z ]+-----/g, ''), 'base64').length,
    );
    return areWhole ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Names of algorithms of the kernel. */
const ALGORITHM = /^(?:[a-z0-9_-]{2,12}\([a-z0-9_(),-]{2,30}\)|digest_null|cipher_null)$/;

/** The key without what is secret; undefined where something else may stand in the places of what is not. */
function describedKey(text: string): string | undefined {
  try {
    const { spi, algorithm, rest } = parseKey(text);
    const isNamed = ALGORITHM.test(algorithm) && ('size' in rest || ALGORITHM.test(rest.cipher));
    if (!isNamed || spi > 255 || ('size' in rest && rest.size > 9999)) return undefined;
  } catch {
    // Then only its length is told.
  }
  return hiddenKey(text);
}

/** Where the stores of a cluster are, of the file that says how to reach them. */
function endpoints(text: string): string {
  const found: string[] = [];
  for (const [, url = ''] of text.matchAll(/^\s*-\s*["']?(https?:\/\/[^\s"']+)/gm)) {
    const { protocol, host } = URL.parse(url) ?? {};
    if (host) found.push(`- ${protocol}//${host}\n`);
  }
  return `endpoints:\n${found.join('')}`;
}
