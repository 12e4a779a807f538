import type { PolicyRule } from '../../../bpf/maps/policy-map.ts';
import { UserError } from '../../../errors.ts';
import { protocolName, protocolNumber } from '../../../model/protocol.ts';
import { RESERVED_IDENTITIES } from '../../../model/reserved-identity.ts';

/** The words of `bpf policy add` and `delete` behind the endpoint. */
export interface RuleWords {
  direction: string;
  identity: string;
  ports: string | undefined;
}

/** A rule without what only `add` sets. */
export type RuleKey = Pick<PolicyRule, 'direction' | 'identity' | 'protocol' | 'port'>;

/** Protocols that have ports: a port without a protocol stands for each of them. */
const PORT_PROTOCOLS = [6, 17, 132];

/** The entries that the words mean. */
export function parseRule({ direction, identity, ports }: RuleWords): RuleKey[] {
  const key = { direction: parseDirection(direction), identity: parseIdentity(identity) };
  if (ports === undefined) return [{ ...key, protocol: 0, port: 0 }];
  const [portText = '', protocolText, ...more] = ports.split('/');
  if (more.length > 0)
    throw new UserError(`Failed to parse port/proto "${ports}": expected <port>[/<protocol>]`);
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 0xffff))
    throw new UserError(
      `Failed to parse port/proto "${ports}": the port must be a number between 0 and 65535`,
      {
        hint: 'Expected for example 80/TCP, or 53 for that port of TCP, UDP and SCTP.',
      },
    );
  const protocol = protocolText === undefined ? 0 : protocolNumber(protocolText);
  if (protocol === undefined)
    throw new UserError(`Failed to parse port/proto "${ports}": "${protocolText}" is not a protocol`);
  if (protocol !== 0) return [{ ...key, protocol, port }];
  if (port === 0) return [{ ...key, protocol: 0, port: 0 }];
  return PORT_PROTOCOLS.map((number) => ({ ...key, protocol: number, port }));
}

/** A rule's entry for messages: `9 80/TCP`. */
export function ruleText({ identity, port, protocol }: RuleKey): string {
  return `${identity} ${port}/${protocolName(protocol)}`;
}

function parseDirection(text: string): 0 | 1 {
  const word = text.toLowerCase();
  if (word === 'ingress') return 0;
  if (word === 'egress') return 1;
  throw new UserError(`Invalid traffic direction "${text}"`, { hint: 'Expected ingress or egress.' });
}

function parseIdentity(text: string): number {
  const number = /^\d{1,10}$/.test(text)
    ? Number(text)
    : RESERVED_IDENTITIES.indexOf(text.replace(/^reserved:/, ''));
  if (number >= 0 && number <= 0xffffffff) return number;
  throw new UserError(`Failed to parse identity "${text}"`, {
    hint: 'Expected the number of an identity ("cilium identity list") or a reserved one such as world.',
  });
}
