import type { PeerCertificate } from 'node:tls';
import { describe, expect, test } from '@jest/globals';
import { checkServerName, verifyFault } from '../../src/lib/go-x509.ts';

/** What is read of a certificate: its common name, and Node's list of alternative names. */
const certificate = (common: string, names?: string) =>
  ({ subject: { CN: common }, ...(names !== undefined && { subjectaltname: names }) }) as PeerCertificate;

const LEGACY = 'certificate relies on legacy Common Name field, use SANs instead';
const noAddress = (host: string) =>
  `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
const nothing = (host: string) => `certificate is not valid for any names, but wanted to match ${host}`;

describe('a certificate is for the names that Go takes it for', () => {
  test.each([
    ['a.example.com', 'DNS:a.example.com, DNS:b.example.com'],
    ['A.Example.COM', 'DNS:a.example.com'],
    ['a.example.com.', 'DNS:a.example.com'],
    ['upper.example.com', 'DNS:UPPER.example.com'],
    ['x.example.com', 'DNS:*.example.com'],
    ['a_b.example.com', 'DNS:a_b.example.com'],
    ['*.example.com', 'DNS:*.example.com'],
    ['127.0.0.1', 'IP Address:127.0.0.1'],
    ['fd00::1', 'DNS:x, IP Address:FD00:0:0:0:0:0:0:1'],
    ['[fd00::1]', 'IP Address:FD00:0:0:0:0:0:0:1'],
    ['b', 'DNS:"a, DNS:c", DNS:b'],
  ])('%s: %s', (host, names) => {
    expect(checkServerName(host, certificate('elsewhere', names))).toBeUndefined();
  });
});

describe('any other name is refused in the words of Go', () => {
  test.each<[string, string | undefined, string]>([
    ['hub.example.com', undefined, LEGACY],
    ['HUB.example.com.', undefined, LEGACY],
    ['127.0.0.1', undefined, noAddress('127.0.0.1')],
    ['other.example.com', undefined, nothing('other.example.com')],
    ['hub.example.com', 'URI:spiffe://x/y', nothing('hub.example.com')],
    ['hub.example.com', 'email:a@b.c', nothing('hub.example.com')],
    ['hub.example.com', 'DNS:a, DNS:b', 'certificate is valid for a, b, not hub.example.com'],
    ['x.y.example.com', 'DNS:*.example.com', 'certificate is valid for *.example.com, not x.y.example.com'],
    ['example.com', 'DNS:*.example.com', 'certificate is valid for *.example.com, not example.com'],
    ['foo.example.com', 'DNS:f*.example.com', 'certificate is valid for f*.example.com, not foo.example.com'],
    [
      'a.b.example.com',
      'DNS:*.*.example.com',
      'certificate is valid for *.*.example.com, not a.b.example.com',
    ],
    ['127.0.0.1', 'DNS:127.0.0.1', noAddress('127.0.0.1')],
    [
      '127.0.0.1',
      'IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
      'certificate is valid for 10.0.0.1, fd00::1, not 127.0.0.1',
    ],
    ['c', 'DNS:"a, DNS:c", DNS:b', 'certificate is valid for a, DNS:c, b, not c'],
    ['a b', 'DNS:a', 'certificate is valid for a, not a b'],
  ])('%s: %s', (host, names, reason) => {
    const error = checkServerName(host, certificate('hub.example.com', names));
    expect(error?.message).toBe(`tls: failed to verify certificate: x509: ${reason}`);
  });
});

test('what OpenSSL refuses is told in the words of Go, where they are known', () => {
  expect(verifyFault('SELF_SIGNED_CERT_IN_CHAIN')).toBe(
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
  );
  expect(verifyFault('ECONNRESET')).toBeUndefined();
});
