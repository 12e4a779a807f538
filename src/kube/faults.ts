import type { PeerCertificate } from 'node:tls';
import { errorCode, errorMessage } from '../errors.ts';
import { errnoText } from '../lib/errno.ts';
import { checkServerName, verifyFault } from '../lib/go-x509.ts';
import type { Impersonation } from './connection.ts';

/** What an error below HTTP means, and what may help. */
export function faultWords(error: unknown, proxyUrl: string | undefined): { text: string; hint: string } {
  const code = errorCode(error);
  const tls = verifyFault(code) ?? (code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? nameFault(error) : undefined);
  if (tls)
    return {
      text: tls,
      hint: 'The kubeconfig names the authority and the name: certificate-authority, tls-server-name.',
    };
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { text: 'no such host', hint: 'Does the kubeconfig name the right cluster? See --context.' };
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_CONNECT_TIMEOUT')
    return { text: 'no answer in time', hint: 'Is the API server reachable from here?' };
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE')
    return { text: 'the connection broke', hint: 'Is the API server restarting?' };
  return {
    text: errnoText(code) ?? errorMessage(error),
    hint: proxyUrl
      ? `It is asked through the proxy of the kubeconfig: ${withoutPassword(proxyUrl)}`
      : 'Is the cluster of the kubeconfig reachable from here?',
  };
}

/** Whether an error is a mistake in this program rather than one of the connection. */
export function isOwnFault(error: unknown): error is Error {
  const isOfLanguage =
    error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  const code = errorCode(error);
  return isOfLanguage && (code === undefined || /^ERR_INVALID_(?:ARG|RETURN|THIS)/.test(code));
}

/** What may help against a refusal. */
export function refusalHint(code: number, as: Impersonation | undefined): string | undefined {
  switch (code) {
    case 401:
      return 'The credentials are not accepted: has a token or certificate of the kubeconfig expired?';
    case 403:
      return as?.user
        ? `Asked as ${as.user} (--as). The message names the verb and the resource that are missing.`
        : 'The message names the verb and the resource that the user or service account lacks.';
    case 404:
      return 'Is the resource installed (CRDs), and the namespace right?';
    case 429:
      return 'The API server asks to slow down; try again later.';
    default:
      return undefined;
  }
}

/** Why the name of a certificate is refused, in the words that all of this program has for it. */
function nameFault(error: unknown): string {
  const { host, cert } = Object(error) as { host?: string; cert?: PeerCertificate };
  const told = host !== undefined && cert ? checkServerName(host, cert) : undefined;
  return errorMessage(told ?? error);
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}

/** The error below what the client wraps around it. */
export function innermost(error: unknown): unknown {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner;
}
