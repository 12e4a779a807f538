import type { PeerPolicy } from './direction-policy.ts';
import type { Verdict } from './policy-map.ts';

/** An entry of a map whose datapath compares entries by precedence (1.17 on). */
export interface Entry extends Verdict {
  /** See `precedenceOf`. */
  precedence: number;
  /** Which proxy a redirect goes to. */
  listener: string;
}

/** What precedences are made of: the priority of the rule, inverted, and what it does. */
const LOWEST_PRIORITY = 0xffffff;
export const DENY = 255;
const REDIRECT = 2;
export const ALLOW = 1;
/** Of a rule that passes. It is not written. */
export const PASS = 0;

export function precedence(priority: number, byte: number): number {
  return (LOWEST_PRIORITY - priority) * 256 + byte;
}

/** Within one priority: deny first, then redirects by the priority of their listener, then allow. */
export function precedenceOf(peer: PeerPolicy, priority: number): number {
  if (peer.deny) return precedence(priority, DENY);
  if (!peer.redirect) return precedence(priority, ALLOW);
  return precedence(priority, peer.priority > 0 ? DENY - peer.priority : REDIRECT);
}

/** Whether two entries are of rules with one priority, so that they are merged when they meet. */
function sameLevel(a: Entry, b: Entry): boolean {
  return Math.floor(a.precedence / 256) === Math.floor(b.precedence / 256) && a.deny === b.deny;
}

/** Precedence without the listener's part. */
export function withoutListener({ precedence: value }: Entry): number {
  return value - (value % 256) + ALLOW;
}

/** Whether two entries do the same, so that one of them can be left out beside the other. */
export function equivalent(a: Entry, b: Entry): boolean {
  return (
    a.precedence === b.precedence &&
    a.proxy === b.proxy &&
    a.listener === b.listener &&
    a.auth === b.auth &&
    a.explicitAuth === b.explicitAuth
  );
}

/** Adds an entry; one of the same priority is merged with that which is there, else the higher precedence wins. */
export function add(own: Map<number, Entry>, id: number, entry: Entry): void {
  const known = own.get(id);
  if (!known) own.set(id, entry);
  else if (sameLevel(known, entry)) own.set(id, merged(known, entry));
  else if (known.precedence < entry.precedence) own.set(id, entry);
}

function merged(known: Entry, entry: Entry): Entry {
  if (known === entry) return known;
  const parts = [...new Set([...known.parts, ...entry.parts])];
  if (known.deny) return { ...known, parts };
  const proxied = entry.proxy && entry.precedence > known.precedence ? entry : known;
  const stated = entry.explicitAuth === known.explicitAuth ? entry.auth > known.auth : entry.explicitAuth;
  const authenticated = stated ? entry : known;
  return {
    deny: false,
    proxy: proxied.proxy,
    listener: proxied.listener,
    precedence: proxied.precedence,
    auth: authenticated.auth,
    explicitAuth: authenticated.explicitAuth,
    parts,
  };
}
