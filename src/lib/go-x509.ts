import type { PeerCertificate } from 'node:tls';
import { contains, formatRange, parseAddress, unbracketed } from './address.ts';

/** How Go begins what it says about a certificate that it does not accept. */
const PREFIX = 'tls: failed to verify certificate: x509: ';

/** The names that a certificate is for. */
interface CertificateNames {
  dns: string[];
  addresses: string[];
  /** It names something, be it of another kind. */
  hasAny: boolean;
}

/**
 * Whether a certificate is for `host`, as Go's crypto/x509 decides: only its subject alternative names count, a wildcard
 * stands for the whole first label, an address has to be named as one. Returns the error in Go's words. For the option
 * `checkServerIdentity` of node:tls.
 */
export function checkServerName(host: string, certificate: PeerCertificate): Error | undefined {
  const names = namesOf(certificate.subjectaltname);
  const address = parseAddress(unbracketed(host));
  if (address) {
    if (names.addresses.some((name) => isSameAddress(name, address))) return undefined;
  } else if (names.dns.some((name) => isNameOf(name, host))) return undefined;
  const reason = () => {
    const common = certificate.subject?.CN;
    if (!names.hasAny && typeof common === 'string' && matchLabels(common, host))
      return 'certificate relies on legacy Common Name field, use SANs instead';
    if (address && names.addresses.length === 0)
      return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
    const valid = (address ? names.addresses : names.dns).join(', ');
    return valid === ''
      ? `certificate is not valid for any names, but wanted to match ${host}`
      : `certificate is valid for ${valid}, not ${host}`;
  };
  return Object.assign(new Error(PREFIX + reason()), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

const FAULTS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  INVALID_PURPOSE: 'certificate specifies an incompatible key usage',
};

/** What Go says where OpenSSL refuses a certificate with `code`; undefined for a code that is not known. */
export function verifyFault(code: string | undefined): string | undefined {
  const fault = FAULTS[code ?? ''];
  return fault && PREFIX + fault;
}

/** Reads Node's list `DNS:a, IP Address:10.0.0.1`; a name that could be mistaken for more stands in quotes. */
function namesOf(list: string | undefined): CertificateNames {
  const names: CertificateNames = { dns: [], addresses: [], hasAny: Boolean(list) };
  for (const [, kind, value = ''] of (list ?? '').matchAll(/(?:^|, )([\w ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const name = value.startsWith('"') ? String(JSON.parse(value)) : value;
    if (kind === 'DNS') names.dns.push(name);
    if (kind === 'IP Address') names.addresses.push(canonical(name));
  }
  return names;
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return address ? formatRange(address).replace(/\/\d+$/, '') : text;
}

function isSameAddress(name: string, address: NonNullable<ReturnType<typeof parseAddress>>): boolean {
  const named = parseAddress(name);
  return named !== undefined && named.family === address.family && contains(named, address);
}

function isNameOf(pattern: string, host: string): boolean {
  if (isName(host.replace(/\.$/, ''), false) && isName(pattern, true)) return matchLabels(pattern, host);
  return pattern !== '' && pattern !== '.' && pattern.toLowerCase() === host.toLowerCase();
}

/** Whether a text has the form of a host name, or of a pattern, whose first label may be a star. */
function isName(text: string, isPattern: boolean): boolean {
  return text
    .split('.')
    .every((label, i) => (isPattern && i === 0 && label === '*') || /^\w[\w-]*$/.test(label));
}

function matchLabels(pattern: string, host: string): boolean {
  const [wanted, labels] = [pattern.toLowerCase(), host.toLowerCase().replace(/\.$/, '')].map((name) =>
    name.split('.'),
  ) as [string[], string[]];
  if (pattern === '' || host === '' || wanted.length !== labels.length) return false;
  return wanted.every((label, i) => (i === 0 && label === '*') || label === labels[i]);
}
