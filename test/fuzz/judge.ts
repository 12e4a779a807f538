import type { RunResult } from '../helpers/run.ts';
import type { Input } from './target.ts';

/** What one input may cost. A busy machine takes from the time in all, and not from that of the CPU. */
export const LIMITS = { cpuMs: 5_000, wallMs: 30_000, bytes: 300 * 1024 * 1024 } as const;

/** What a run cost. */
export interface Cost {
  cpuMs: number;
  wallMs: number;
  /** Growth of the largest resident size. */
  bytes: number;
}

const INTERNAL =
  /a fault in the toolkit itself|Maximum call stack|heap out of memory|is not a function|is not iterable|Cannot read propert|Cannot mix BigInt|Invalid (?:array|string) length|Invalid time value|\n\s+at /;
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const JUNK = /\[object \w+\]/;
const CODES: readonly number[] = [0, 1, 2, 3, 130];

/** How the live screen draws: its own screen, the cursor, lines that are cleared, colours. */
const DRAWS = /\u001b\[(?:\?(?:25|1049|2026)[hl]|\d*[AGJK]|1;1H|\d+(?:;\d+)*m)|\r(?=\n)/g;

/** Programs and places of the steps that `cleanup undo` shows: it has no other. */
const STEP =
  /^ {6}(?:ip (?:-[46] |-batch )?(?:rule|route|link|address|addr|neighbour|neighbor|neigh|xfrm policy) |ip6?tables(?:-nft|-legacy)?-restore --noflush$|ipset restore -exist$|< |mount -t cgroup2 cgroup2 (?:\/[\w.-]+)*\/cilium\/cgroupv2$|rename \/etc\/cni\/net\.d\/.* to \/etc\/cni\/net\.d\/.*\.cilium_bak$|(?:file|folder|link|fifo|socket) \/(?:etc\/cni\/net\.d\/(?:(?:\d\d-)?cilium(?:-cni)?\.conf(?:list)?|.*\.cilium_bak)|etc\/sysctl\.d\/99-zzz-override_cilium\.conf|var\/run\/cilium|var\/lib\/cilium)(?:[ /]|$))/;

/** Steps of an undo that are none of cleanup's, or that climb out of its places. */
function foreignSteps(stdout: string): string[] {
  const steps = stdout.split('\n').filter((line) => line.startsWith('      '));
  return steps.filter((line) => !STEP.test(line) || /^ {6}(?!< ).*\/\.\.?\//.test(line));
}

/** What the program itself says to a terminal: colours where they are asked for, one line that is written again. */
function withoutOwn(text: string, argv: readonly string[]): string {
  if (argv.includes('--color')) return text.replaceAll(/\u001b\[(?:[0-2]|22|3[1-69])m/g, '');
  if (argv.includes('--tui')) return text.replaceAll(DRAWS, '');
  return argv[0] === 'policy' && argv[1] === 'wait' ? text.replaceAll('\rWaiting', 'Waiting') : text;
}

/** Whether a fault is that of a machine that was busy, unless the input is as slow by itself. */
export function isOfTime(fault: string): boolean {
  return /^(computed for|took) [\d.]+ s$/.test(fault);
}

/** What a run did wrong, whatever it was given. */
export function faultsOf({ data, argv }: Input, { stdout, stderr, code }: RunResult, cost: Cost): string[] {
  const faults: string[] = [];
  const internal = INTERNAL.exec(stderr);
  if (internal) faults.push(`internal error: ${internal[0].trim()}`);
  if (!CODES.includes(code)) faults.push(`exit code ${code}`);
  if (STEERS.test(withoutOwn(stdout, argv))) faults.push('control characters on stdout');
  if (STEERS.test(withoutOwn(stderr, argv))) faults.push('control characters on stderr');
  if (JUNK.test(stdout + stderr) && !Object.values(data).some((part) => JUNK.test(part)))
    faults.push('an object as text');
  if (argv[1] === 'undo')
    for (const step of foreignSteps(stdout).slice(0, 1)) faults.push(`a step of its own: ${step.trim()}`);
  if (code === 1 && stdout.trim() === '' && stderr.trim() === '') faults.push('failed without a word');
  if (cost.cpuMs > LIMITS.cpuMs) faults.push(`computed for ${(cost.cpuMs / 1000).toFixed(1)} s`);
  if (cost.wallMs > LIMITS.wallMs) faults.push(`took ${(cost.wallMs / 1000).toFixed(1)} s`);
  if (cost.bytes > LIMITS.bytes) faults.push(`took ${Math.round(cost.bytes / 1024 / 1024)} MB`);
  // Each line of a file may have its warning, and the file may be packed.
  const given = Object.values(data).reduce((sum, part) => sum + part.length, 0);
  const lines = argv.includes('--input-file') || argv.includes('--flows');
  if (!lines && stderr.length > (1 << 20) + 20 * given) faults.push(`${stderr.length} characters on stderr`);
  return faults;
}
