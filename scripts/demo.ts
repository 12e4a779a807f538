// Shows the toolkit at work against a lab: starts one, looks around, changes the policy, watches flows, stops it.
// Needs no cluster, leaves nothing behind, and ends with 0 only when every command did what it should.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cilium-demo-'));
const env: Record<string, string | undefined> = { ...process.env, XDG_RUNTIME_DIR: folder };
let failures = 0;
/** What has not come by then does not come. */
const LIMIT_MS = 60_000;

/** Words of a command line, quotes taken off. */
function wordsOf(line: string): string[] {
  return (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
}

interface ShowOptions {
  /** Interrupt the command, as Ctrl-C would, when what is expected has come and this long has passed. */
  forMs?: number;
  /** What its output must contain. */
  expect?: RegExp;
  /** Show no more lines than this. */
  lines?: number;
}

const bold = (text: string) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);
const cyan = (text: string) => (process.stdout.isTTY ? `\x1b[36m${text}\x1b[0m` : text);

/** Prints a command line, then what it prints, and checks how it ended. Returns its stdout. */
async function show(line: string, { forMs, expect, lines = 40 }: ShowOptions = {}): Promise<string> {
  console.log(bold(`\n$ ${line}`));
  const [name = '', ...args] = wordsOf(line);
  const child = spawn(join(bin, name), args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let [text, isTime] = ['', false];
  const mayEnd = () => isTime && (!expect || expect.test(text)) && child.kill('SIGINT');
  const pass = () => {
    isTime = true;
    mayEnd();
  };
  const timers =
    forMs === undefined ? [] : [setTimeout(pass, forMs), setTimeout(() => child.kill('SIGINT'), LIMIT_MS)];
  for await (const part of child.stdout) {
    text += String(part);
    mayEnd();
  }
  const code = await new Promise<number | null>((done) =>
    child.exitCode === null ? child.once('close', done) : done(child.exitCode),
  );
  for (const timer of timers) clearTimeout(timer);
  const shown = text.trimEnd().split('\n');
  console.log(shown.slice(0, lines).join('\n'));
  if (shown.length > lines) console.log(`… ${shown.length - lines} more lines`);
  if (code !== 0) fail(`${line}: exit code ${code}`);
  else if (expect && !expect.test(text)) fail(`${line}: ${expect} is not in its output`);
  return text;
}

function fail(why: string): void {
  failures++;
  console.error(`failed: ${why}`);
}

function say(text: string): void {
  console.log(cyan(`\n# ${text}`));
}

const CATALOG_FOR_CHECKOUT = [
  {
    endpointSelector: { matchLabels: { app: 'catalog' } },
    ingress: [{ fromEndpoints: [{ matchLabels: { app: 'checkout' } }] }],
    labels: [{ key: 'name', value: 'demo' }],
    description: 'Only the checkout may read the catalog',
  },
];

try {
  say('An agent of our own: no cluster, no root, no kernel modules.');
  const exports = await show('cilium lab start --scenario shop', { expect: /CILIUM_SOCK=/ });
  for (const [, key = '', value] of exports.matchAll(/^export (\w+)=(.*)$/gm)) env[key] = value;
  await show('cilium lab status', { expect: /shop/ });
  await show('cilium status', { expect: /Cilium: +Ok/, lines: 30 });
  await show('cilium endpoint list', { expect: /k8s:app=checkout/, lines: 20 });

  say('Live flows: what the pods of the shop say to each other.');
  await show('hubble observe --last 10', { expect: /FORWARDED/ });
  await show('hubble observe --follow', { forMs: 1500, expect: /shop\//, lines: 12 });

  say('A policy that shuts the frontend out of the catalog, imported, in force, and taken away again.');
  writeFileSync(join(folder, 'policy.json'), `${JSON.stringify(CATALOG_FOR_CHECKOUT, null, 2)}\n`);
  const imported = await show('cilium policy import policy.json', { expect: /Revision: \d+/ });
  await show('cilium policy get --matching name=demo', { expect: /Only the checkout/ });
  await show(`cilium policy wait ${/Revision: (\d+)/.exec(imported)?.[1] ?? ''}`);
  await show('hubble observe --follow --verdict DROPPED --to-pod shop/catalog', {
    forMs: 2500,
    expect: /Policy denied DROPPED/,
    lines: 6,
  });
  await show('cilium policy delete name=demo', { expect: /Revision: \d+/ });
  await show('hubble observe --follow --verdict FORWARDED --to-pod shop/catalog', {
    forMs: 1500,
    expect: /FORWARDED/,
    lines: 6,
  });

  if (existsSync(join(env.CILIUM_BPF_ROOT ?? '', 'tc/globals'))) {
    say(
      'As root the lab pins the maps of an agent: what stands in the kernel, and whether it fits what the agent says.',
    );
    await show('cilium bpf maps list --sort=-pressure', { expect: /cilium_ct4_global/, lines: 8 });
    await show('cilium bpf ct list global', { expect: /TCP OUT/, lines: 4 });
    await show('cilium bpf ct top', { expect: /entries in all/, lines: 6 });
    await show('cilium doctor', { expect: /0 failures/ });
  } else say('As root, on a kernel with BPF, the lab would pin maps for "cilium bpf …" and "cilium doctor".');
} finally {
  await show('cilium lab stop');
  rmSync(folder, { recursive: true, force: true });
}

console.log(failures === 0 ? '\nEvery command did what it should.' : `\n${failures} command(s) failed.`);
process.exitCode = failures === 0 ? 0 : 1;
