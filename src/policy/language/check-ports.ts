import { RE2JS, RE2JSSyntaxException } from 're2js';
import type {
  FqdnSelector,
  HttpRule,
  IcmpField,
  KafkaRule,
  L7Rules,
  PortProtocol,
  PortRule,
} from '../rule.ts';
import type { Cursor } from './decoders.ts';
import { icmpType } from './icmp-types.ts';

const MAX_PORTS = 40;

const SERVICE_NAME = /^([A-Za-z0-9]-?)*[A-Za-z](-?[A-Za-z0-9])*$/;

/** The number of a port; NaN for a port name; undefined when it is neither. */
export function portNumber(port: string): number | undefined {
  if (port.length <= 15 && /^[A-Za-z0-9-]+$/.test(port) && SERVICE_NAME.test(port)) return Number.NaN;
  // As Go reads them: underscores may stand between digits.
  if (!/^\d+(_\d+)*$/.test(port)) return undefined;
  const digits = port.replaceAll('_', '');
  const octal = digits.length > 1 && digits.startsWith('0');
  if (octal && /[89]/.test(digits)) return undefined;
  const number = octal ? Number.parseInt(digits, 8) : Number(digits);
  return number <= 65535 ? number : undefined;
}

export function checkPort(port: string, at: Cursor): string | undefined {
  if (port === '') {
    return at.fail(
      'port',
      'Port must be specified',
      'A number from 0 (every port) to 65535, or a port name.',
    );
  }
  const number = portNumber(port);
  if (number === undefined) {
    const why = /^[1-9]\d*$/.test(port) ? 'value out of range' : 'invalid syntax';
    return at.fail(
      'port',
      `Unable to parse port: strconv.ParseUint: parsing ${JSON.stringify(port)}: ${why}`,
      /^\d+-\d+$/.test(port)
        ? 'For a range write "port" and "endPort".'
        : 'A port is a number from 0 (every port) to 65535, or the name of a container port.',
    );
  }
  if (number === 0 && !at.reaches('1.10')) return at.fail('port', 'Port cannot be 0', 'It came with 1.10.');
  if (number === 0 && !at.reaches('1.14'))
    at.warn(
      'no-effect',
      `Cilium ${at.options.target} matches no traffic by port ${JSON.stringify(port)}`,
      'Agents take it for every port from 1.14 on. Write the numbers, or leave "toPorts" out.',
    );
  return Number.isNaN(number) ? port.toLowerCase() : port;
}

/** Checks a port range, and fills in the protocol. */
export function finishPort(port: PortProtocol, at: Cursor): void {
  const first = portNumber(port.port ?? '');
  if (port.endPort !== undefined && port.endPort > 0 && first !== undefined) {
    if (Number.isNaN(first))
      at.warn(
        'end-port',
        `"endPort" makes a range that begins with the number that a pod has for "${port.port}"`,
        'For egress, agents from 1.20 on take that number alone. Write the range in numbers.',
        ['endPort'],
      );
    else if (first === 0 && port.endPort < 65535)
      at.warn(
        'end-port',
        `agents from 1.20 on take the range 0-${port.endPort} for every port`,
        'Begin it with port 1.',
        ['endPort'],
      );
    else if (port.endPort < first)
      at.warn(
        'end-port',
        `the range ${first}-${port.endPort} is empty: only port ${first} is selected`,
        undefined,
        ['endPort'],
      );
  }
  port.protocol ??= 'ANY';
}

export function checkPorts(ports: readonly unknown[], at: Cursor): void {
  if (ports.length > MAX_PORTS)
    at.fail(
      'ports',
      `too many ports, the max is ${MAX_PORTS}`,
      'Split them over several items of "toPorts".',
    );
}

/** Lists without an item are no rules. */
function hasL7({ rules }: PortRule): boolean {
  return [rules?.http, rules?.kafka, rules?.dns, rules?.l7].some((list) => (list?.length ?? 0) > 0);
}

/** Checks one item of toPorts. */
export function checkPortRule(rule: PortRule, at: Cursor, direction: 'ingress' | 'egress'): void {
  const { rules, ports = [], listener } = rule;
  const dns = (rules?.dns?.length ?? 0) > 0;
  if (direction === 'ingress' && dns)
    at.fail('l7-direction', 'DNS rules are not allowed on ingress', 'DNS rules are for egress.', [
      'rules',
      'dns',
    ]);
  if (rule.serverNames?.length && hasL7(rule) && !rule.terminatingTLS)
    at.fail('server-names', 'ServerNames are not allowed with L7 rules without TLS termination', undefined, [
      'serverNames',
    ]);
  if (hasL7(rule)) checkL7Ports(rule, dns, at);
  if (listener && direction === 'ingress')
    at.fail('listener', `Listener is not allowed on ingress (${listener.name})`, undefined, ['listener']);
  if (listener && hasL7(rule))
    at.fail('listener', `Listener is not allowed with L7 rules (${listener.name})`, undefined, ['listener']);
  if (dns && ports.length === 0)
    at.fail('l7-port', 'Port 53 must be specified for DNS rules', undefined, ['rules', 'dns']);
}

function checkL7Ports({ ports = [] }: PortRule, dns: boolean, at: Cursor): void {
  ports.forEach((port, i) => {
    const here = ['ports', i];
    const number = portNumber(port.port ?? '');
    if (!dns && port.protocol !== 'TCP')
      at.fail(
        'l7-protocol',
        `L7 rules can only apply to TCP (not ${port.protocol}) except for DNS rules`,
        'Add "protocol": "TCP".',
        here,
      );
    if (number === 0)
      at.fail('l7-port', 'L7 rules can not be used when a port is 0', undefined, [...here, 'port']);
    const kind = at.reaches('1.17') ? dns && 'DNS' : 'L7';
    if (kind && port.endPort !== undefined && number !== undefined && port.endPort > number)
      at.fail('l7-port', `${kind} rules do not support port ranges`, undefined, [...here, 'endPort']);
  });
}

export function checkL7Rules(rules: L7Rules, at: Cursor): void {
  const kinds = (['http', 'kafka', 'dns', 'l7proto'] as const).filter((kind) => rules[kind] !== undefined);
  const second = kinds[1];
  if (second)
    at.fail(
      'l7-mixed',
      'multiple L7 protocol rule types specified in single rule',
      `This one has ${kinds.join(' and ')}: use a separate item of "toPorts" for each.`,
      [second],
    );
  if (rules.l7 && !rules.l7proto)
    at.fail('l7-proto', "'l7' may only be specified when a 'l7proto' is also specified", undefined, ['l7']);
}

/** Rules repeat their expressions; the latest that are right are not compiled again. */
const MOST_RIGHT = 1024;
const right = new Set<string>();

function checkRegex(value: string | undefined, field: string, at: Cursor): void {
  if (!value || right.has(value)) return;
  try {
    RE2JS.compile(value);
    if (right.size >= MOST_RIGHT) right.clear();
    right.add(value);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    const perl = error.message.includes('Perl') || /\\[1-9]/.test(value);
    const hint = perl
      ? 'The agent and Envoy use RE2, which has no look-around and no backreferences.'
      : `"${field}" is an RE2 expression.`;
    // The agent compiles path and method. Envoy compiles the host, and ignores the whole rule when that fails.
    if (field === 'host') at.warn('regex', error.message, hint, [field]);
    else at.fail('regex', error.message, hint, [field]);
  }
}

export function checkHttp(rule: HttpRule, at: Cursor): void {
  checkRegex(rule.path, 'path', at);
  checkRegex(rule.method, 'method', at);
  checkRegex(rule.host, 'host', at);
  if (rule.path && !/^[/.(*[^\\]/.test(rule.path))
    at.warn(
      'http-path',
      `no request's path matches ${JSON.stringify(rule.path)}`,
      'A path begins with "/".',
      ['path'],
    );
  rule.headerMatches?.forEach((match, i) => {
    if (match.name === '')
      at.fail('http-header', 'Header name missing', undefined, ['headerMatches', i, 'name']);
  });
}

const KAFKA_KEYS: ReadonlySet<string> = new Set(
  `produce fetch offsets metadata leaderandisr stopreplica updatemetadata controlledshutdown offsetcommit offsetfetch
  findcoordinator joingroup heartbeat leavegroup syncgroup describegroups listgroups saslhandshake apiversions
  createtopics deletetopics deleterecords initproducerid offsetforleaderepoch addpartitionstotxn addoffsetstotxn endtxn
  writetxnmarkers txnoffsetcommit describeacls createacls deleteacls describeconfigs alterconfigs`.split(
    /\s+/,
  ),
);

export function checkKafka(rule: KafkaRule, at: Cursor): void {
  const { role, apiKey, apiVersion, topic } = rule;
  if (role && apiKey)
    at.fail(
      'kafka',
      `Cannot set both Role:${JSON.stringify(role)} and APIKey :${JSON.stringify(apiKey)} together`,
      undefined,
      ['apiKey'],
    );
  if (apiKey && !KAFKA_KEYS.has(apiKey.toLowerCase()))
    at.fail(
      'kafka',
      `invalid Kafka APIKey :${JSON.stringify(apiKey)}`,
      'Examples: produce, fetch, metadata, createtopics.',
      ['apiKey'],
    );
  if (role && !/^(produce|consume)$/i.test(role))
    at.fail('kafka', `Invalid Kafka Role ${role}`, 'Use produce or consume.', ['role']);
  if (apiVersion && !(/^\d+$/.test(apiVersion) && Number(apiVersion) <= 32767))
    at.fail(
      'kafka',
      `unable to parse APIVersion ${JSON.stringify(apiVersion)}`,
      'A whole number in quotes.',
      ['apiVersion'],
    );
  if (topic && topic.length > 255)
    at.fail('kafka', 'kafka topic exceeds maximum len of 255', undefined, ['topic']);
  if (topic && !/^[a-zA-Z0-9._-]+$/.test(topic))
    at.fail(
      'kafka',
      `invalid Kafka Topic name ${JSON.stringify(topic)}`,
      'Letters, digits, ".", "_" and "-".',
      ['topic'],
    );
}

export function checkFqdn({ matchName, matchPattern }: FqdnSelector, at: Cursor): void {
  if (matchName && matchPattern)
    at.fail('fqdn', 'only one of MatchName or MatchPattern is allowed in an FQDNSelector', undefined, [
      'matchPattern',
    ]);
  if (!matchName && !matchPattern)
    at.failIfKubernetes('fqdn', 'neither matchName nor matchPattern is given, so no name matches');
  if (matchName && !/^[-a-zA-Z0-9_.]+$/.test(matchName))
    at.fail(
      'fqdn',
      `Invalid characters in MatchName: "${matchName}". Only 0-9, a-z, A-Z and . and - characters are allowed`,
      matchName.includes('*') ? 'Use matchPattern for names with "*".' : undefined,
      ['matchName'],
    );
  if (matchPattern && !/^[-a-zA-Z0-9_.*]+$/.test(matchPattern))
    at.fail(
      'fqdn',
      `Invalid characters in MatchPattern: "${matchPattern}". Only 0-9, a-z, A-Z and ., - and * characters are allowed`,
      /[[\\(^$+]/.test(matchPattern)
        ? 'A pattern is not a regular expression: "*" is its only wildcard.'
        : undefined,
      ['matchPattern'],
    );
}

export function checkIcmp({ family = 'IPv4', type }: IcmpField, at: Cursor): void {
  const number = icmpType(type, family);
  if (number === undefined)
    at.fail(
      'icmp',
      `${family} has no ICMP type called "${type}"`,
      'Write the number, or a name such as EchoReply.',
      ['type'],
    );
  else if (!Number.isInteger(number) || number < 0 || number > 255)
    at.fail('icmp', `ICMP type ${type} is out of range`, 'A number from 0 to 255.', ['type']);
}
