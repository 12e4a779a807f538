import type { Outcome, SeenPacket } from '../hubble/seen.ts';

/** A packet is told of line by line, while it goes from hook to hook: so long it may take from one to the next. */
const COMPLETE_MS = 30;
const OUTCOMES: ReadonlySet<string> = new Set<Outcome>(['allow', 'proxy', 'none', 'deny', 'auth']);

/** Reads what `nft monitor trace` prints, and tells each packet once it is known what became of it. */
export class TraceReader {
  #rest = '';
  readonly #open = new Map<
    string,
    {
      packet?: SeenPacket;
      isReply: boolean;
      outcomes: Partial<Record<'egress' | 'ingress', Outcome>>;
      timer: NodeJS.Timeout;
      isDue: boolean;
    }
  >();

  constructor(private readonly tell: (packet: SeenPacket) => void) {}

  read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  close(): void {
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
  }

  #line(line: string): void {
    const [, id, chain = '', what = ''] = /^trace id (\w+) inet cilium_lab (\S+) (.*)$/.exec(line) ?? [];
    if (id === undefined) return;
    let one = this.#open.get(id);
    if (one) one.timer.refresh();
    else {
      const timer = setTimeout(() => this.#due(id), COMPLETE_MS);
      one = { isReply: false, outcomes: {}, timer, isDue: false };
      this.#open.set(id, one);
    }
    one.isDue = false;
    if (what.startsWith('packet: ')) one.packet ??= packetIn(what);
    if (/comment "reply"/.test(what)) one.isReply = true;
    const [, direction, outcome = ''] = /comment "\d+ (egress|ingress) (\w+)"/.exec(what) ?? [];
    if ((direction === 'egress' || direction === 'ingress') && OUTCOMES.has(outcome))
      one.outcomes[direction] = outcome as Outcome;
    // Of a rule that nft does not know only the verdict is told.
    else if (what.includes('(verdict drop)'))
      one.outcomes[chain.startsWith('from-') ? 'egress' : 'ingress'] = 'none';
  }

  /** A busy process reads late: what has come by now is read before the packet ends. */
  #due(id: string): void {
    const one = this.#open.get(id);
    if (!one) return;
    one.isDue = true;
    setImmediate(() => one.isDue && this.#end(id));
  }

  #end(id: string): void {
    const one = this.#open.get(id);
    this.#open.delete(id);
    if (one?.packet) this.tell({ ...one.packet, isReply: one.isReply, ...one.outcomes });
  }
}

/** The packet of a line; undefined for protocols that are not told of. */
function packetIn(line: string): SeenPacket | undefined {
  const [, source, destination] = /ip6? saddr (\S+) ip6? daddr (\S+)/.exec(line) ?? [];
  if (source === undefined || destination === undefined) return undefined;
  const [, l4, sourcePort, destinationPort] =
    /\b(tcp|udp) sport (\d+) (?:tcp|udp) dport (\d+)/.exec(line) ?? [];
  const isEcho = /\bicmp type echo-/.test(line);
  if (l4 === undefined && !isEcho) return undefined;
  const flags = flagsIn(/tcp flags == (\S+)/.exec(line)?.[1] ?? '');
  return {
    source,
    destination,
    protocol: l4 === 'tcp' ? 'TCP' : l4 === 'udp' ? 'UDP' : 'ICMP',
    sourcePort: Number(sourcePort ?? 0),
    destinationPort: Number(destinationPort ?? 0),
    flags,
    isReply: false,
  };
}

const FLAGS = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

/** Flags of TCP: one by its name, several as a number. */
function flagsIn(text: string): string[] {
  const bits = Number(text);
  if (Number.isNaN(bits)) return text === '' ? [] : [text.toUpperCase()];
  return FLAGS.filter((_, i) => (bits & (1 << i)) !== 0);
}
