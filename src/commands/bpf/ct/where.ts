import { compileExpression, type Field, type Language } from '../../../hubble/where/evaluate.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import type { Connection } from '../../../model/conntrack.ts';
import { protocolName } from '../../../model/protocol.ts';

const field = (
  name: string,
  kind: Field<Connection>['kind'],
  about: string,
  read: Field<Connection>['read'],
): Field<Connection> => ({ name, kind, about, read });

const FIELDS: readonly Field<Connection>[] = [
  field('src.ip', 'ip', 'source address, or a CIDR that holds it', (c) => [c.source]),
  field('dst.ip', 'ip', 'destination address, or a CIDR that holds it', (c) => [c.destination]),
  field('ip', 'ip', 'either address', (c) => [c.source, c.destination]),
  field('src.port', 'number', 'source port', (c) => [c.sourcePort]),
  field('dst.port', 'number', 'destination port', (c) => [c.destinationPort]),
  field('port', 'number', 'either port', (c) => [c.sourcePort, c.destinationPort]),
  field('protocol', 'text', 'TCP, UDP, ICMP …', (c) => [protocolName(c.protocol)]),
  field('direction', 'text', 'IN, OUT or SVC', (c) => [c.direction]),
  field('related', 'truth', 'whether it is about another connection', (c) => [c.related]),
];

const CONNECTIONS: Language<Connection> = {
  find: (name) => FIELDS.find((known) => known.name === name.toLowerCase()),
  names: () => FIELDS.map(({ name }) => name),
  help: `The fields are ${FIELDS.map(({ name }) => name).join(', ')}.`,
};

/** Compiles an expression over connections, in the language of `hubble observe --where`. */
export function whereConnection(source: string): Promise<(connection: Connection) => boolean> {
  return compileExpression(parseWhere(source), source, CONNECTIONS);
}
