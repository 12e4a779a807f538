import { isRecord } from '../../lib/record.ts';
import type { Action, Item } from '../../model/cleanup.ts';
import type { Family, IpRoute, IpRule, NodeState } from '../state/state.ts';
import { command, OWN_LINK, POD_LINK } from './own.ts';

/** Marks and tables of Cilium's policy routing: to the proxy, from the proxy, and of IPsec. */
const OWN_RULES: readonly { fwmark: string; fwmask: string; table: string; why: string }[] = [
  {
    fwmark: '0x200',
    fwmask: '0xf00',
    table: '2004',
    why: 'mark 0x200/0xf00 sends proxied traffic to table 2004',
  },
  {
    fwmark: '0xa00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xa00/0xf00 sends traffic of the proxy to table 2005',
  },
  {
    fwmark: '0xb00',
    fwmask: '0xf00',
    table: '2005',
    why: 'mark 0xb00/0xf00 sends traffic of the proxy to table 2005',
  },
  { fwmark: '0xd00', fwmask: '0xf00', table: '200', why: 'mark 0xd00/0xf00 is of IPsec decryption' },
  { fwmark: '0xe00', fwmask: '0xf00', table: '200', why: 'mark 0xe00/0xf00 is of IPsec encryption' },
];

/** Policy routing rules, among them the kernel's own one that Cilium moves. */
export function ruleItems(state: NodeState): Item[] {
  const pods = new Set(
    state.routes
      .filter(({ route }) => POD_LINK.test(route.dev ?? ''))
      .map(({ route }) => route.dst.replace(/\/(?:32|128)$/, '')),
  );
  return state.rules.flatMap(({ family, rule }): Item[] => {
    if (unwrittenRule(rule).length > 0) return [];
    const words = ruleWords(rule);
    const known = OWN_RULES.find(
      (own) => own.fwmark === rule.fwmark && own.fwmask === rule.fwmask && own.table === rule.table,
    );
    const pod =
      [20, 110, 111].includes(rule.priority) && (pods.has(rule.src ?? '') || pods.has(rule.dst ?? ''));
    const why = known?.why ?? (pod ? 'it routes an address of a pod of this node' : undefined);
    const item = (reason: string, remove: Action[], restore: Action[]): Item => ({
      id: `rule ${family} ${words.join(' ')}`,
      kind: 'rule',
      what: `IPv${family} rule ${words.join(' ')}`,
      why: reason,
      remove,
      restore,
    });
    if (why)
      return [
        item(
          why,
          [command(ip(family, 'rule', 'del', ...words))],
          [command(ip(family, 'rule', 'add', ...words))],
        ),
      ];
    const moved =
      rule.priority === 100 &&
      rule.table === 'local' &&
      rule.src === 'all' &&
      rule.fwmark === undefined &&
      !state.rules.some((other) => other.family === family && other.rule.priority === 0);
    if (!moved) return [];
    return [
      item(
        "Cilium moved the kernel's rule for local addresses from priority 0 to 100; it goes back",
        [
          command(ip(family, 'rule', 'add', 'pref', '0', 'lookup', 'local')),
          command(ip(family, 'rule', 'del', 'pref', '100', 'lookup', 'local')),
        ],
        [
          command(ip(family, 'rule', 'add', 'pref', '100', 'lookup', 'local')),
          command(ip(family, 'rule', 'del', 'pref', '0', 'lookup', 'local')),
        ],
      ),
    ];
  });
}

/** Fields of a rule that `ruleWords` writes. */
const RULE_FIELDS = new Set(
  'priority src srclen dst dstlen fwmark fwmask iif iif_detached oif oif_detached table protocol'.split(' '),
);

/** What a rule has beyond them, such as `not`, `ipproto` and ports. Cilium makes no such rules. */
function unwrittenRule(rule: IpRule): string[] {
  return Object.keys(rule).filter((field) => !RULE_FIELDS.has(field));
}

function ip(family: Family, ...words: string[]): string[] {
  return family === 6 ? ['ip', '-6', ...words] : ['ip', ...words];
}

function ruleWords(rule: IpRule): string[] {
  const prefix = (address: string | undefined, length: number | undefined) =>
    address === undefined || address === 'all'
      ? undefined
      : length === undefined
        ? address
        : `${address}/${length}`;
  const words = ['pref', String(rule.priority)];
  const from = prefix(rule.src, rule.srclen);
  const to = prefix(rule.dst, rule.dstlen);
  if (from) words.push('from', from);
  if (to) words.push('to', to);
  if (rule.fwmark) words.push('fwmark', rule.fwmask ? `${rule.fwmark}/${rule.fwmask}` : rule.fwmark);
  if (rule.iif) words.push('iif', rule.iif);
  if (rule.oif) words.push('oif', rule.oif);
  if (rule.table) words.push('lookup', rule.table);
  if (rule.protocol) words.push('protocol', rule.protocol);
  return words;
}

/** Kernel-made routes go and come with their device and its addresses. */
const MADE_BY_KERNEL = new Set(['local', 'multicast', 'anycast', 'broadcast']);

/** Routes of Cilium's tables, to its links and to pods. */
export function routeItems({ routes }: NodeState): Item[] {
  return routes.flatMap(({ family, route }): Item[] => {
    const why = ownRoute(route);
    if (!why || unwrittenRoute(route).length > 0) return [];
    const words = routeWords(route);
    return [
      {
        id: `route ${family} ${words.join(' ')}`,
        kind: 'route',
        what: `IPv${family} route ${words.join(' ')}`,
        why,
        remove: [command(ip(family, 'route', 'del', ...words))],
        restore: [command(ip(family, 'route', 'replace', ...words))],
      },
    ];
  });
}

function ownRoute(route: IpRoute): string | undefined {
  const { table = 'main', dev = '', dst, type } = route;
  if (table === '2004' && type === 'local' && dst === 'default' && dev === 'lo')
    return 'table 2004 is the way to the proxy';
  if (table === '2005' && OWN_LINK.test(dev)) return 'table 2005 is the way from the proxy';
  if (table === 'local' || MADE_BY_KERNEL.has(type ?? '') || dst === 'fe80::/64') return undefined;
  if (OWN_LINK.test(dev)) return `it leads to ${dev}`;
  return POD_LINK.test(dev) ? 'it leads to a pod' : undefined;
}

function routeWords(route: IpRoute): string[] {
  const words = [...(route.type && route.type !== 'unicast' ? [route.type] : []), route.dst];
  if (route.gateway) words.push('via', route.gateway);
  if (isVia(route.via)) words.push('via', route.via.family, route.via.host);
  if (route.dev) words.push('dev', route.dev);
  if (route.flags?.includes('onlink')) words.push('onlink');
  if (route.protocol) words.push('proto', route.protocol);
  if (route.scope) words.push('scope', route.scope);
  if (route.prefsrc) words.push('src', route.prefsrc);
  if (route.metric) words.push('metric', String(route.metric));
  if (route.table) words.push('table', route.table);
  for (const [name, value] of metricsOf(route)) words.push(name, String(value));
  return words;
}

/** Fields of a route that `routeWords` writes, and the preference that every IPv6 route has. */
const ROUTE_FIELDS = new Set(
  'dst type gateway via dev flags protocol scope prefsrc metric table metrics pref'.split(' '),
);
/** Metrics that are written as they are printed. */
const METRICS = new Set(['mtu', 'advmss', 'window', 'initcwnd', 'initrwnd', 'hoplimit', 'quickack']);
/** Flags that the kernel sets by itself, and the one that is written. */
const ROUTE_FLAGS = new Set(['onlink', 'linkdown', 'dead', 'offload', 'trap', 'rt_offload', 'rt_trap']);

function metricsOf({ metrics }: IpRoute): [string, unknown][] {
  return Array.isArray(metrics) ? metrics.filter(isRecord).flatMap((each) => Object.entries(each)) : [];
}

function isVia(via: unknown): via is { family: string; host: string } {
  return isRecord(via) && typeof via.family === 'string' && typeof via.host === 'string';
}

/** What a route has that cannot be written back: next hops, encapsulation, locked metrics … */
function unwrittenRoute(route: IpRoute): string[] {
  return [
    ...Object.keys(route).filter((field) => !ROUTE_FIELDS.has(field)),
    ...(route.via !== undefined && !isVia(route.via) ? ['via'] : []),
    ...(route.pref !== undefined && route.pref !== 'medium' ? ['pref'] : []),
    ...(route.flags ?? []).filter((flag) => !ROUTE_FLAGS.has(flag)),
    ...metricsOf(route).flatMap(([name, value]) =>
      METRICS.has(name) && typeof value === 'number' ? [] : [name],
    ),
  ];
}

/** Routes to Cilium's links and pods that stay, because undo could not make the same again. */
export function routesLeft({ routes }: NodeState): string[] {
  return routes.flatMap(({ family, route }) => {
    const fields = ownRoute(route) ? unwrittenRoute(route) : [];
    if (fields.length === 0) return [];
    return [
      `IPv${family} route ${routeWords(route).join(' ')}: undo could not bring back ${fields.join(', ')}`,
    ];
  });
}
