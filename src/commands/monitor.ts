import { type Command, Option } from 'commander';
import { socketPath } from '../agent/client.ts';
import { listEndpointRows } from '../agent/decode/endpoints.ts';
import { readStatus } from '../agent/decode/status.ts';
import { decodeEvent } from '../agent/monitor/events.ts';
import { isEventType, type MonitorFilter, passes, passesFlow } from '../agent/monitor/filter.ts';
import { LinkNames } from '../agent/monitor/links.ts';
import { dissect } from '../agent/monitor/packet.ts';
import { NoMonitorSocket, openMonitorSocket, readRecords, type StreamEnd } from '../agent/monitor/socket.ts';
import { releaseOfEvents, StreamRelease } from '../agent/monitor/stream-release.ts';
import { failed } from '../cli/answer.ts';
import { endpointNumber, isPod } from '../cli/endpoint-number.ts';
import { examples } from '../cli/flags.ts';
import { releaseOfAgent } from '../cli/release.ts';
import type { Context } from '../context.ts';
import { causesOf, isUnreachable, SilentExit, UsageError } from '../errors.ts';
import { addressBytes, formatIp, parseAddress } from '../lib/address.ts';
import { EVENT_TYPES, eventTypesOf, type MonitorEvent, type MonitorRecord } from '../model/monitor.ts';
import type { Dissection } from '../model/packet.ts';
import { atLeast, type Build, NEWEST_RELEASE, parseBuild, type Release } from '../model/release.ts';
import type { AgentStatus } from '../model/status.ts';
import {
  type MonitorFormat,
  renderEvent,
  renderOtherRecord,
  type ShownEvent,
} from '../render/monitor/text.ts';
import { sanitizeCell } from '../render/text/sanitize.ts';

interface MonitorOptions {
  hex: boolean;
  type: string[];
  from: number[];
  to: number[];
  relatedTo: number[];
  ip: string[];
  port: number[];
  /** How often the flag was given. */
  verbose?: number;
  json: boolean;
  jsonLines: boolean;
  numeric: boolean;
  monitorSocket?: string;
}

/** The reference waits as long: an agent that restarts is back by then. */
const RECONNECT_MS = 12_000;
const HEALTH_TIMEOUT_MS = 5_000;

/** Declares `monitor`. */
export function addMonitorCommand(command: Command, ctx: Context): void {
  const types = Object.keys(EVENT_TYPES).join(' ');
  command

    .option('--hex', 'Do not dissect, print payload in HEX', false)
    .addOption(repeated('-t, --type <type>', `Filter by event types [${types}]`, (value) => value))
    .addOption(repeated('--from <id>', 'Filter by source endpoint id', parseEndpoint))
    .addOption(repeated('--to <id>', 'Filter by destination endpoint id', parseEndpoint))
    .addOption(
      repeated('--related-to <id>', 'Filter by either source or destination endpoint id', parseEndpoint),
    )
    .addOption(repeated('--ip <address>', 'Filter by an address of the packet, on either side', parseIp))
    .addOption(repeated('--port <number>', 'Filter by a port of the packet, on either side', parseUint16))
    .addOption(
      new Option('-v, --verbose', 'Enable verbose output (-v, -vv)').argParser(
        (_, count: number | undefined) => (count ?? 0) + 1,
      ),
    )
    .option('-j, --json', 'Enable json output. Shadows -v flag', false)
    .option('--json-lines', 'A JSON object on every line, also of events that -j leaves as text', false)
    .option('-n, --numeric', 'Display all security identities as numeric values', false)
    .option('--monitor-socket <path>', 'Configure monitor socket path')
    .addHelpText(
      'after',
      examples(
        'cilium monitor --type drop --related-to shop/redis-0',
        'cilium monitor --ip 10.0.0.7 --port 8080 -v',
        'cilium monitor --json-lines > events.jsonl',
      ),
    )
    .action(async (given: GivenOptions) => runMonitor(await withNumbers(given, ctx), ctx));
}

function repeated<T>(flags: string, about: string, parse: (value: string, flag: string) => T): Option {
  const option = new Option(flags, about).default([], '');
  const name = flags.replace(/ <.*/, '');
  return option.argParser((value: string, previous: T[]) => [...previous, parse(value, name)]);
}

function invalid(value: string, flag: string, why: string): UsageError {
  return new UsageError(`invalid argument "${value}" for "${flag}" flag: ${why}`);
}

/** Which kinds there are depends on the release, which is asked only to say what was meant. */
async function checkTypes(types: readonly string[], ctx: Context): Promise<void> {
  const wrong = types.find((type) => !isEventType(type));
  if (wrong === undefined) return;
  const release = (await releaseOfAgent(ctx)) ?? NEWEST_RELEASE;
  const known = Object.entries(eventTypesOf(release))
    .map(([name, number]) => `${name}:${number}`)
    .join(' ');
  const error = invalid(
    wrong,
    '-t, --type',
    `Unknown type (${wrong}). Please use one of the following ones map[${known}]`,
  );
  throw new UsageError(error.message, { flagsError: error.message });
}

/** The number of an endpoint, or a pod whose endpoint the agent is asked for. */
type EndpointWord = number | string;

function parseEndpoint(value: string, flag: string): EndpointWord {
  return isPod(value) ? value : parseUint16(value, flag);
}

type GivenOptions = Omit<MonitorOptions, 'from' | 'to' | 'relatedTo'> &
  Record<'from' | 'to' | 'relatedTo', EndpointWord[]>;

async function withNumbers(given: GivenOptions, ctx: Context): Promise<MonitorOptions> {
  const [from, to, relatedTo] = [
    await numbersOf(given.from, ctx),
    await numbersOf(given.to, ctx),
    await numbersOf(given.relatedTo, ctx),
  ];
  return { ...given, from, to, relatedTo };
}

async function numbersOf(words: readonly EndpointWord[], ctx: Context): Promise<number[]> {
  const numbers: number[] = [];
  for (const word of words)
    numbers.push(typeof word === 'number' ? word : Number(await endpointNumber(word, ctx)));
  return numbers;
}

function parseUint16(value: string, flag: string): number {
  if (!/^\d+$/.test(value))
    throw invalid(value, flag, `strconv.ParseUint: parsing "${value}": invalid syntax`);
  const number = Number(value);
  if (number > 0xffff)
    throw invalid(value, flag, `strconv.ParseUint: parsing "${value}": value out of range`);
  return number;
}

/** The address in the form in which packets show theirs. */
function parseIp(value: string, flag: string): string {
  const address = parseAddress(value);
  if (!address) throw invalid(value, flag, 'an IPv4 or IPv6 address is expected');
  return formatIp(addressBytes(address));
}

/** Shows events until the user stops it, connecting again when the agent restarts. */
export async function runMonitor(options: MonitorOptions, ctx: Context): Promise<void> {
  await checkTypes(options.type, ctx);
  await checkEndpoints(options, ctx);
  let agent = await askAgent(ctx);
  const talk = options.jsonLines ? ctx.err : talkOf(agent, ctx);
  await announce(agent, talk);
  const printer = await eventPrinter(options, ctx);
  try {
    for (let broke = false; ; ) {
      const shown = showStream(
        options,
        printer,
        new StreamRelease(agent && releaseOfEvents(agent)),
        broke,
        ctx,
      );
      const end = await shown.catch((error: unknown) => {
        // Of a cluster that was reached before.
        if (broke && isUnreachable(error)) return undefined;
        throw error;
      });
      if (end instanceof Error)
        await ctx.err.write(
          `The connection to the agent broke (${end.message}). Connecting again every 12 s; what happens meanwhile is not shown.\n`,
        );
      else if (end !== undefined)
        await ctx.err.write(`The agent closed the connection (${end}). Connecting again in 12 s.\n`);
      broke = end === undefined || end instanceof Error;
      await ctx.clock.sleep(RECONNECT_MS, ctx.signal);
      agent = await askAgent(ctx);
    }
  } catch (error) {
    if (ctx.signal.aborted && !(error instanceof SilentExit)) {
      await talk.write('\nReceived an interrupt, disconnecting from monitor...\n\n');
      return;
    }
    if (!(error instanceof NoMonitorSocket)) throw error;
    // As the reference: without an agent nothing is shown, and the exit code is 0.
    const { agentHint } = await import('../cli/kube/agent-hint.ts');
    const hint = await agentHint(error.hint ?? '', causesOf(error), undefined, ctx);
    await ctx.err.write(`Error: ${error.message}\n${hint}\n`);
  }
}

/** Returns why the stream ended: an error where its connection broke on the way to the agent. */
async function showStream(
  options: MonitorOptions,
  printer: Printer,
  release: StreamRelease,
  broke: boolean,
  ctx: Context,
): Promise<StreamEnd> {
  const socket = await openMonitorSocket(
    options.monitorSocket || socketPath(ctx, 'CILIUM_MONITOR_SOCK', ''),
    ctx.signal,
    ctx.dial,
  );
  if (broke) await ctx.err.write('The agent is connected again.\n');
  const records = readRecords(socket);
  for (;;) {
    const step = await records.next();
    if (step.done) return step.value;
    const { text, note } = printer(step.value, release);
    if (note !== undefined) await ctx.err.write(`${note}\n`);
    if (text !== '') await ctx.out.write(text);
  }
}

type Printer = (records: readonly MonitorRecord[], release: StreamRelease) => Printed;

interface Printed {
  text: string;
  /** What is to be said of the stream's release. */
  note: string | undefined;
}

async function eventPrinter(options: MonitorOptions, ctx: Context): Promise<Printer> {
  const filter: MonitorFilter = {
    types: options.type,
    from: options.from,
    to: options.to,
    relatedTo: options.relatedTo,
    ips: options.ip,
    ports: options.port,
  };
  const links = new LinkNames(`${ctx.env.CILIUM_SYSFS || '/sys'}/class/net`, () => ctx.clock.nowMs());
  const level = (['info', 'debug', 'dissect'] as const)[options.verbose ?? 0] ?? 'info';
  const isJson = options.json || options.jsonLines;
  const layers = isJson || level === 'dissect' || options.type.includes('recorder');
  let format: MonitorFormat = {
    level,
    hex: options.hex,
    numeric: options.numeric,
    interfaceName: (ifindex) => sanitizeCell(links.name(ifindex)),
    release: NEWEST_RELEASE,
    ports: layers ? (await import('../render/monitor/port-names.ts')).readPortNames() : () => undefined,
  };
  const [render, renderOther] = await renderersOf(options);
  let noted = false;
  return (records, release) => {
    links.refresh();
    const printed: Printed = { text: '', note: undefined };
    for (const record of records) {
      if (record.type !== 9) printed.text += renderOther(record);
      if (record.type !== 9 || record.data.length === 0) continue;
      const event = decodeEvent(record.data, release.stated);
      release.see(event);
      if (format.release !== release.release) format = { ...format, release: release.release };
      const text = renderPassing({ event, cpu: record.cpu }, filter, format, render);
      if (text !== '' && !noted) printed.note = release.takeNote(event);
      noted ||= printed.note !== undefined;
      printed.text += text;
    }
    return printed;
  };
}

async function renderersOf({
  json,
  jsonLines,
}: MonitorOptions): Promise<
  [(shown: ShownEvent, format: MonitorFormat) => string, (record: MonitorRecord) => string]
> {
  if (jsonLines) {
    const { renderJsonLine, renderOtherLine } = await import('../render/monitor/json-lines.ts');
    return [renderJsonLine, renderOtherLine];
  }
  const render = json ? (await import('../render/monitor/json.ts')).renderJsonEvent : renderEvent;
  return [render, renderOtherRecord];
}

function renderPassing(
  shown: Omit<ShownEvent, 'packet'>,
  filter: MonitorFilter,
  format: MonitorFormat,
  render: (shown: ShownEvent, format: MonitorFormat) => string,
): string {
  if (!passes(shown.event, filter)) return '';
  const packet = packetOf(shown.event, format.release);
  if (!passesFlow(shown.event, packet, filter)) return '';
  return render({ ...shown, packet }, format);
}

function packetOf(event: MonitorEvent, release: Release): Dissection | undefined {
  if (!('packet' in event)) return undefined;
  const frame = { l3Device: false, ipv6: false, vxlan: false, geneve: false };
  return dissect(event.packet, event.kind === 'recorder' ? frame : event.packetKind, release);
}

/** What the agent's API tells; undefined when it does not answer. */
interface AskedAgent extends Build {
  monitor: AgentStatus['nodeMonitor'];
}

/** Up to 1.10 the reference wrote its own words between the events. */
function talkOf(agent: AskedAgent | undefined, ctx: Context): Context['out'] {
  return agent && !atLeast(agent.release, '1.11') ? ctx.out : ctx.err;
}

/** Says what the agent's monitor listens on; silent when the API does not answer. */
async function announce(agent: AskedAgent | undefined, talk: Context['out']): Promise<void> {
  const monitor = agent?.monitor;
  if (monitor)
    await talk.write(
      `Listening for events on ${monitor.cpus} CPUs with ${monitor.pages}x${monitor.pageSize} of shared memory\n`,
    );
  await talk.write('Press Ctrl-C to quit\n');
}

async function askAgent(ctx: Context): Promise<AskedAgent | undefined> {
  try {
    const query = { brief: false, timeoutMs: HEALTH_TIMEOUT_MS };
    const status = (await readStatus(await ctx.agent(), query)).decode();
    // The status is rendered like the nearest release; events tell their exact one apart.
    const { release, development } = parseBuild(status.cilium?.message ?? '') ?? status;
    return { release, development, monitor: status.nodeMonitor };
  } catch {
    return undefined;
  }
}

/** The reference looks endpoints up only when all three filters are given, and stops when none of them exists. */
async function checkEndpoints(options: MonitorOptions, ctx: Context): Promise<void> {
  const lists = [options.from, options.to, options.relatedTo];
  if (lists.some((list) => list.length === 0)) return;
  const endpoints = await listEndpointRows(await ctx.agent()).catch(failed('cannot get endpoint list'));
  const existing = new Set(endpoints.decode().map(({ id }) => id));
  const missing = lists.flat().filter((id) => !existing.has(id));
  for (const id of missing) await ctx.err.write(`endpoint ${id} not found\n`);
  if (missing.length === lists.flat().length) throw new SilentExit(1);
}
