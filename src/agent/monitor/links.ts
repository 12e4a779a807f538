import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Links come and go with pods; names older than this are read again, as often as the reference does. */
const MAX_AGE_MS = 15_000;

/** Names of this machine's network interfaces by index. */
export class LinkNames {
  #names = new Map<number, string>();
  #readAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    /** The folder of sysfs that has one entry per interface. */
    readonly folder: string,
    readonly nowMs: () => number,
  ) {}

  /** Name of an interface; its number where there is none of that number. */
  name(ifindex: number): string {
    return this.#names.get(ifindex) ?? String(ifindex);
  }

  /** Reads the names again when they are old. An unreadable sysfs leaves numbers. */
  refresh(): void {
    const now = this.nowMs();
    if (now - this.#readAtMs < MAX_AGE_MS) return;
    this.#readAtMs = now;
    this.#names = readLinkNames(this.folder);
  }
}

function readLinkNames(folder: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const name of entries(folder)) {
    try {
      names.set(Number(readFileSync(join(folder, name, 'ifindex'), 'utf8')), name);
    } catch {
      // Gone since it was listed.
    }
  }
  return names;
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
