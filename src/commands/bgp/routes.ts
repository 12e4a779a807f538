import type { Command } from 'commander';
import { type BgpRouteQuery, listBgpRoutes, readBgpRoutes } from '../../agent/decode/bgp.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { formatAddress, parseAddress } from '../../lib/address.ts';
import { routeTable } from '../../render/agent/bgp.ts';
import { routesOfNodes } from '../../render/agent/bgp-nodes.ts';
import { unlessBgpIsDisabled } from './disabled.ts';
import { addNodesFlags, areNodesMeant, type NodesOptions, printNodes } from './nodes.ts';
import { takeVRouter } from './vrouter.ts';

const AFIS = ['ipv4', 'ipv6', 'l2vpn', 'ls', 'opaque'];
const SAFIS = [
  'unicast',
  'multicast',
  'mpls_label',
  'encapsulation',
  'vpls',
  'evpn',
  'ls',
  'sr_policy',
  'mup',
  'mpls_vpn',
  'mpls_vpn_multicast',
  'route_target_constraints',
  'flowspec_unicast',
  'flowspec_vpn',
  'key_value',
];

/** Declares `bgp routes`. */
export function addBgpRoutesCommand(command: Command, ctx: Context): void {
  command
    .usage('<available | advertised> <afi> <safi> [vrouter <asn>] [peer|neighbor <address>]')
    .argument('[words...]', 'routes to list, such as: advertised ipv4 unicast peer 192.0.2.1')
    .addOption(outputOption('summary', ...LIST_FORMATS))
    .addHelpText(
      'after',
      examples(
        'cilium bgp routes available ipv4 unicast',
        'cilium bgp routes advertised ipv4 unicast vrouter 65001 peer 192.0.2.1',
        'cilium bgp routes --cluster available ipv6 unicast',
      ),
    )
    .action(async (words: string[], options: NodesOptions) => {
      if (await areNodesMeant(options, ctx)) return runRoutesOfNodes(words, options, ctx);
      await unlessBgpIsDisabled(ctx, () => runBgpRoutes(words, options, ctx));
    });
  addListOptions(command);
  addNodesFlags(command);
}

/** Which routes the words ask for, and the notice about what they leave open. */
interface RouteQuery extends BgpRouteQuery {
  notice: string;
}

async function runBgpRoutes(words: string[], options: NodesOptions, ctx: Context): Promise<void> {
  const query = parseRouteQuery(words);
  if (query.notice && !options.output) await ctx.out.write(query.notice);
  const peer = query.tableType === 'adj-rib-out' && query.neighbor === undefined;
  await printAnswers(
    ctx,
    options,
    (agent) => listBgpRoutes(agent, query),
    'failed retrieving routes',
    async (routes) => routeTable(routes, { peer, release: await releaseOfForms(ctx) }),
  );
}

async function runRoutesOfNodes(
  words: readonly string[],
  options: NodesOptions,
  ctx: Context,
): Promise<void> {
  const query = parseNodesQuery(words);
  const isAdvertised = query.tableType === 'adj-rib-out';
  const table = isAdvertised ? 'advertised' : 'available';
  const { asn, neighbor } = query;
  const question = {
    ask: (agent: Parameters<typeof listBgpRoutes>[0]) => listBgpRoutes(agent, query),
    argv: [
      ...['bgp', 'routes', table, query.afi, query.safi],
      ...(asn === undefined ? [] : ['vrouter', String(asn)]),
      ...(neighbor === undefined ? [] : ['peer', neighbor]),
      ...['-o', 'json'],
    ],
    read: readBgpRoutes,
    type: 'BgpRoute[]',
    unable: 'Unable to get BGP routes',
    errors: 'Errors by retrieving routes',
    notice: options.output === 'json' ? '' : query.notice,
  };
  // Of a peer that is named the reference shows the column as well.
  await printNodes(options, question, (nodes) => routesOfNodes(nodes, { peer: isAdvertised }), ctx);
}

/** As `parseRouteQuery`, with the errors of the reference for a cluster. */
function parseNodesQuery(words: readonly string[]): RouteQuery {
  const [table, afi, safi, keyword, value] = words;
  const wrong = (message: string, hint?: string) =>
    new UserError(`Unable to get BGP routes: ${message}`, { hint });
  if (table !== undefined && !['available', 'advertised'].includes(table))
    throw wrong(`invalid argument: \`${table}\`, expected \`available\` / \`advertised\``);
  if (afi !== undefined && !AFIS.includes(afi))
    throw wrong(`unknown AFI \`${afi}\``, `Expected one of ${AFIS.join(', ')}.`);
  if (safi !== undefined && !SAFIS.includes(safi))
    throw wrong(`unknown SAFI \`${safi}\``, `Expected one of ${SAFIS.join(', ')}.`);
  if (keyword !== undefined && !['vrouter', 'peer', 'neighbor'].includes(keyword))
    throw wrong(`invalid argument: \`${keyword}\`, expected \`vrouter\` / \`peer\``);
  if (keyword === 'vrouter' && value === undefined) throw wrong('missing vrouter ASN value');
  const [after, address] = keyword === 'vrouter' ? words.slice(5) : words.slice(3);
  if (table === 'advertised' && after !== undefined && !['peer', 'neighbor'].includes(after))
    throw wrong('missing `peer` argument');
  if (table === 'advertised' && after !== undefined && address === undefined)
    throw wrong('missing peer IP address');
  return parseRouteQuery(words);
}

function parseRouteQuery(words: readonly string[]): RouteQuery {
  const [table, afi, safi, ...more] = words;
  const notice = (defaults: string) => `(Defaulting to ${defaults}, please see help for more options)\n\n`;
  const ipv4 = { afi: 'ipv4', safi: 'unicast' };
  if (table === undefined)
    return { tableType: 'loc-rib', ...ipv4, notice: notice('`available ipv4 unicast` routes') };
  if (table !== 'available' && table !== 'advertised')
    throw invalid(`invalid table type discriminator \`${table}\` (should be \`available\` / \`advertised\`)`);
  const tableType = table === 'available' ? 'loc-rib' : 'adj-rib-out';
  if (afi === undefined) return { tableType, ...ipv4, notice: notice('`ipv4 unicast` AFI & SAFI') };
  if (!AFIS.includes(afi)) throw invalid(`unknown AFI ${afi}`, `Expected one of ${AFIS.join(', ')}.`);
  if (safi === undefined) return { tableType, afi, safi: 'unicast', notice: notice('`unicast` SAFI') };
  if (!SAFIS.includes(safi)) throw invalid(`unknown SAFI ${safi}`, `Expected one of ${SAFIS.join(', ')}.`);
  const { asn, rest } = takeVRouter(more);
  const neighbor = tableType === 'adj-rib-out' && rest.length > 0 ? peerAddress(rest) : undefined;
  return {
    tableType,
    afi,
    safi,
    ...(asn !== undefined && { asn }),
    ...(neighbor !== undefined && { neighbor }),
    notice: '',
  };
}

function invalid(message: string, hint?: string): UserError {
  return new UserError(`invalid argument: ${message}`, { hint });
}

function peerAddress([keyword, text]: readonly string[]): string {
  if (keyword !== 'peer' && keyword !== 'neighbor')
    throw new UserError('failed to parse peer address: missing `peer` parameter');
  if (text === undefined) throw new UserError('failed to parse peer address: missing peer IP address');
  const address = parseAddress(text);
  if (!address) throw new UserError(`failed to parse peer address: invalid peer IP address: "${text}"`);
  return formatAddress(address);
}
