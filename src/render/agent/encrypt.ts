import type { EncryptionState } from '../../model/status.ts';
import { sanitize } from '../text/sanitize.ts';

/** `encrypt status` as text. The mode and the counts are padded to 26 columns, as by the reference. */
export function renderEncryption({ mode, message, ipsec, wireguard }: EncryptionState): string {
  const lines: string[] = [];
  if (message) lines.push(`Msg: ${message}`);
  lines.push(`Encryption: ${mode.padEnd(26)}`);
  if (ipsec) {
    lines.push(
      `Decryption interface(s): ${ipsec.decryptInterfaces.join(', ')}`,
      `Keys in use: ${wide(ipsec.keysInUse)}`,
      `Max Seq. Number: ${ipsec.maxSequenceNumber}`,
      `Errors: ${wide(ipsec.errorCount)}`,
      ...ipsec.errors.map(([name, count]) => `\t${name}: ${wide(count)}`),
    );
  }
  for (const { name, publicKey, peerCount } of wireguard?.interfaces ?? []) {
    lines.push(`Interface: ${name}`, `\tPublic key: ${publicKey}`, `\tNumber of peers: ${peerCount}`);
  }
  return sanitize(lines.map((line) => `${line}\n`).join(''));
}

function wide(count: number): string {
  return String(count).padEnd(26);
}

/** The API's model of it, for `-o`: what is empty is left out, and peers are never told. */
export function encryptionModel({
  mode,
  message,
  ipsec,
  wireguard,
}: EncryptionState): Record<string, unknown> {
  return {
    ...(ipsec && {
      ipsec: {
        'decrypt-interfaces': ipsec.decryptInterfaces,
        ...(ipsec.errorCount !== 0 && { 'error-count': ipsec.errorCount }),
        ...(ipsec.keysInUse !== 0 && { 'keys-in-use': ipsec.keysInUse }),
        'max-seq-number': ipsec.maxSequenceNumber,
        ...(ipsec.errors.length > 0 && { 'xfrm-errors': Object.fromEntries(ipsec.errors.toSorted()) }),
      },
    }),
    ...(mode && { mode }),
    ...(message && { msg: message }),
    ...(wireguard && {
      wireguard: {
        interfaces: wireguard.interfaces.map((i) => ({
          ...(i.port !== 0 && { 'listen-port': i.port }),
          name: i.name,
          ...(i.peerCount !== 0 && { 'peer-count': i.peerCount }),
          peers: null,
          'public-key': i.publicKey,
        })),
      },
    }),
  };
}
