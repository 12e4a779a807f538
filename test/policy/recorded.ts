import type { LabelSelector, Requirement } from '../../src/model/selector.ts';
import type { MapEntry } from '../../src/policy/evaluate/maps/policy-map.ts';
import { fqdnSelector, labelSelector, type Selector } from '../../src/policy/evaluate/selectors/selector.ts';
import type { Rule } from '../../src/policy/rule.ts';
import { fixture } from '../helpers/recordings.ts';

/** One rule set of the recording, with what the agent made of it. */
export interface PolicySet {
  name: string;
  rules: unknown[];
  storedRules: Rule[];
  identities: { id: number; labels: string[] }[];
  selectors: { selector: string; identities: number[] }[];
  endpoints: RecordedEndpoint[];
}

export interface RecordedEndpoint {
  id: number;
  identity: number;
  /** Key and value in hex. */
  mapEntries: [string, string][];
}

export function policySets(): PolicySet[] {
  return fixture<PolicySet[]>('recordings/policy-maps-1.17.json');
}

/** Decodes the map's bytes: little-endian prefix length and identity, direction, protocol, big-endian port. */
export function recordedEntries(pairs: readonly [keyHex: string, valueHex: string][]): MapEntry[] {
  return pairs.map(([keyHex, valueHex]) => {
    const key = Buffer.from(keyHex, 'hex');
    const value = Buffer.from(valueHex, 'hex');
    return {
      direction: key.readUInt8(8) === 1 ? 'egress' : 'ingress',
      identity: key.readUInt32LE(4),
      protocol: key.readUInt8(9),
      port: key.readUInt16BE(10),
      prefix: Math.max(0, key.readUInt32LE(0) - 48),
      deny: (value.readUInt8(2) & 1) === 1,
      proxy: value.readUInt16BE(0) !== 0,
      // The highest bit says that a rule asked for it.
      auth: value.readUInt8(3) & 127,
      ...(value.length === 12 && { precedence: value.readUInt32LE(4) }),
    };
  });
}

/** Reads a selector in the agent's Go form: `&LabelSelector{MatchLabels:map[string]string{any.app: api,},…}`. */
export function recordedSelector(text: string): Selector {
  const fqdn = /^MatchName: (.*), MatchPattern: (.*)$/.exec(text);
  if (fqdn) return fqdnSelector(fqdn[1] ? { matchName: fqdn[1] } : { matchPattern: fqdn[2] ?? '' });
  const labels = /MatchLabels:map\[string\]string\{(.*?)\},MatchExpressions/.exec(text)?.[1] ?? '';
  const matchLabels: Record<string, string> = {};
  for (const [, key = '', value = ''] of labels.matchAll(/([^:,]+): ([^,]*),/g))
    matchLabels[dotted(key)] = value;
  const matchExpressions: Requirement[] = [];
  for (const [, key = '', operator = '', values = ''] of text.matchAll(
    /LabelSelectorRequirement\{Key:([^,]+),Operator:(\w+),Values:\[(.*?)\],\}/g,
  ))
    matchExpressions.push({
      key: dotted(key),
      operator: operator as Requirement['operator'],
      ...(values && { values: values.split(' ') }),
    });
  return labelSelector({ matchLabels, matchExpressions } satisfies LabelSelector);
}

function dotted(key: string): string {
  return key.replace('.', ':');
}
