import { UserError } from '../../errors.ts';
import { parseJson } from '../../lib/exact-json.ts';
import type { EncryptionState } from '../../model/status.ts';
import { Reader } from './reader.ts';
import { encryption } from './status.ts';
import type { EncryptionStatus } from './types.gen.ts';

/** What `encrypt status` of an agent's own command line printed, and how it is called in errors. */
const CALL = 'encrypt status';

/** Reads what `encrypt status -o json` printed; agents up to 1.14 print a text all the same. */
export function decodeEncryption(printed: string): {
  state: EncryptionState;
  document: Record<string, unknown>;
} {
  const reader = new Reader<EncryptionStatus>(CALL, jsonOf(printed) ?? documentOf(printed));
  const document = reader.fields();
  return { state: encryption(reader), document };
}

function jsonOf(printed: string): unknown {
  try {
    return parseJson(printed);
  } catch {
    return undefined;
  }
}

/** The text as the JSON of the same. */
function documentOf(text: string): Record<string, unknown> {
  let mode = '';
  const ipsec: Record<string, unknown> = {};
  const errors: [string, number][] = [];
  for (const line of text.split('\n')) {
    const [, name = '', value = ''] = /^\s*([^:]+):\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === 'Encryption') mode = value;
    else if (name === 'Decryption interface(s)') {
      const devices = value.split(',').map((one) => one.trim());
      ipsec['decrypt-interfaces'] = devices.filter((one) => one !== '');
    } else if (name === 'Keys in use') ipsec['keys-in-use'] = count(name, value);
    else if (name === 'Max Seq. Number') ipsec['max-seq-number'] = value;
    else if (name === 'Errors') ipsec['error-count'] = count(name, value);
    else if (/^\t\w+:/.test(line) && /^\d+$/.test(value)) errors.push([name, Number(value)]);
  }
  if (mode === '') throw new UserError(`what \`${CALL}\` printed names no encryption`);
  if (errors.length > 0) ipsec['xfrm-errors'] = Object.fromEntries(errors);
  return mode === 'IPsec' ? { ipsec, mode } : { mode };
}

function count(name: string, value: string): number {
  if (!/^\d+$/.test(value))
    throw new UserError(`${name} of \`${CALL}\` is no number: ${JSON.stringify(value)}`);
  return Number(value);
}
