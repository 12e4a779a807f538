// Runs many command lines, one after the other, on the terminal that this process stands at: for hostile-terminal.test.ts.
import { readFileSync } from 'node:fs';
import { createMap } from '../../src/bpf/kernel/objects.ts';
import { main } from '../../src/main.ts';
import { contextOf } from '../../src/system.ts';

interface Plan {
  env: Record<string, string>;
  cwd: string;
  lines: string[][];
  /** Of who runs them. What only root may do to the machine is refused to others. */
  uid: number;
  /** Paths at which a full map is pinned first. */
  pins: string[];
}

/** How long a verb may follow something. */
const FOLLOW_MS = 1500;
/** What is pressed on a live screen: each pane, down to what decided, and the end. */
const KEYS = [
  ...['2', 'd', 'j', 'p', '\u001b', '\r', 'y', '\r', 'p', '3', 'h', '\r', '4', '\u001b[F', '\r', '?'],
  'q',
];
const KEY_MS = 200;
const KEYS_LIMIT_MS = 20_000;

const { env, cwd, lines, uid, pins } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Plan;
const sink = (stream: NodeJS.WriteStream) => ({
  isTTY: stream.isTTY,
  columns: stream.columns,
  write: (chunk: string | Uint8Array) => new Promise<void>((done) => stream.write(chunk, () => done())),
});
process.stdin.on('error', () => {});

for (const path of pins) {
  using map = createMap({ name: 'pwn', type: 'hash', keySize: 8, valueSize: 8, maxEntries: 4 });
  for (let key = 0; key < map.info.maxEntries; key++) map.update(Buffer.alloc(8, key), Buffer.alloc(8));
  map.pin(path);
}

for (const [number, argv] of lines.entries()) {
  process.stdout.write(`\n@@${number}@@\n`);
  const stop = new AbortController();
  const isScreen = argv.includes('--tui');
  const limitMs = isScreen ? KEYS_LIMIT_MS : FOLLOW_MS;
  const timer = setTimeout(() => stop.abort(new DOMException('stopped', 'AbortError')), limitMs);
  const ctx = contextOf({
    out: sink(process.stdout),
    err: sink(process.stderr),
    in: {
      isTTY: true,
      async *[Symbol.asyncIterator]() {},
    },
    tty: { stdin: process.stdin, stdout: process.stdout },
    env,
    cwd,
    uid,
    platform: process.platform,
    clock: {
      nowMs: Date.now,
      uptimeMs: () => 0,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          setTimeout(resolve, Math.min(ms, 20));
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    },
    signal: stop.signal,
    computing: (work) => work(),
  });
  const keys = isScreen ? [...KEYS] : [];
  const typist = setInterval(() => {
    const key = process.stdin.isRaw ? keys.shift() : undefined;
    if (key !== undefined) process.stdin.unshift(Buffer.from(key));
  }, KEY_MS);
  const limit = new Promise((resolve) => setTimeout(resolve, 4 * limitMs).unref());
  await Promise.race([main(argv, ctx), limit]);
  clearTimeout(timer);
  clearInterval(typist);
}
process.stdout.write('\n@@end@@\n');
process.exit(0);
