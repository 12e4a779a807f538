import { UserError } from '../../errors.ts';
import { type AddressRange, contains, parseAddress, parsePrefix, withoutZone } from '../../lib/address.ts';
import { goQuote, goQuoteRune } from '../../lib/go-quote.ts';
import { addressFault, prefixFault } from '../../lib/netip.ts';

/** Says whether a text is meant. */
export type TextMatch = (text: string) => boolean;

/**
 * Compiles RE2 patterns to one unanchored test. RE2's syntax has no back-references and its engine no exponential
 * cases, which a pattern on a shared server needs; V8's own regular expressions have both.
 */
export async function compileRegexes(patterns: readonly string[], what: string): Promise<TextMatch> {
  const { RE2JS } = await import('re2js');
  const compiled = patterns.map((pattern) => {
    try {
      return RE2JS.compile(pattern);
    } catch (cause) {
      throw new UserError(
        `invalid ${what} filter: ${pattern}: ${cause instanceof Error ? cause.message : 'no regular expression'}`,
        { hint: 'The syntax is that of RE2: https://github.com/google/re2/wiki/Syntax', cause },
      );
    }
  });
  return (text) => compiled.some((regex) => regex.test(text));
}

/** Addresses and prefixes. */
export function compileIps(patterns: readonly string[]): TextMatch {
  const exact = new Set<string>();
  const ranges: AddressRange[] = [];
  for (const pattern of patterns) {
    const range = parsePrefix(pattern);
    if (range) ranges.push(range);
    else if (pattern.includes('/'))
      throw new UserError(`invalid IP prefix ${goQuote(pattern)} in filter: ${prefixFault(pattern)}`);
    else if (!parseAddress(withoutZone(pattern)))
      throw new UserError(`invalid IP address ${goQuote(pattern)} in filter: ${addressFault(pattern)}`);
    else exact.add(pattern);
  }
  return (text) => {
    if (exact.has(text)) return true;
    if (ranges.length === 0) return false;
    const address = parseAddress(text);
    return address !== undefined && ranges.some((range) => contains(range, address));
  };
}

/** Globs over DNS names: `*` stands for any run of letters, digits, dashes and dots. */
export function compileFqdns(patterns: readonly string[]): TextMatch {
  const globs = patterns.map(globOf);
  // The same few names come again and again.
  const seen = new Map<string, boolean>();
  return (text) => {
    const known = seen.get(text);
    if (known !== undefined) return known;
    const matched = globs.some((glob) => matchGlob(glob, text));
    if (seen.size > 10_000) seen.clear();
    seen.set(text, matched);
    return matched;
  };
}

function globOf(pattern: string): string {
  const text = pattern.trim().toLowerCase().replace(/\.$/, '');
  if (text === '') throw new UserError('empty pattern');
  if (text.endsWith('.')) throw new UserError('multiple trailing dots in pattern');
  const wrong = /[^-.0-9a-z_*]/u.exec(text);
  if (wrong)
    throw new UserError(`${goQuoteRune(wrong[0])}: invalid rune in pattern`, {
      hint: 'A name pattern holds letters, digits, "-", ".", "_" and "*".',
    });
  return text;
}

const SPANNED = /[-.0-9a-z]/;

/** Walks all ways to match at once, so that many asterisks cost no more than the product of the lengths. */
function matchGlob(glob: string, text: string): boolean {
  let states = skipAsterisks(glob, new Set([0]));
  for (const c of text) {
    const next = new Set<number>();
    for (const at of states) {
      if (glob[at] === c) next.add(at + 1);
      else if (glob[at] === '*' && SPANNED.test(c)) next.add(at);
    }
    if (next.size === 0) return false;
    states = skipAsterisks(glob, next);
  }
  return states.has(glob.length);
}

/** An asterisk may stand for nothing. */
function skipAsterisks(glob: string, states: Set<number>): Set<number> {
  // A set hands out what is added while it is walked.
  for (const at of states) if (glob[at] === '*') states.add(at + 1);
  return states;
}

/** A name without anything that a pattern could not say. */
const ANY_NAME = /^[-0-9_a-z]+(?:\.[-0-9_a-z]+)*$/;

/** `[cluster/]node` patterns; an empty part matches any name, a node without a cluster is one of `default`. */
export function compileNodeNames(patterns: readonly string[]): TextMatch {
  const anyName = (text: string) => ANY_NAME.test(text);
  const compiled = patterns.map((pattern) => {
    if (pattern === '') throw new UserError('empty pattern');
    const parts = pattern.split('/');
    if (parts.length > 2)
      throw new UserError('too many slashes in pattern', {
        hint: `"${pattern}" is not of the form [CLUSTER/]NODE.`,
      });
    const [cluster, node] = parts.length === 2 ? parts : ['', parts[0]];
    return {
      cluster: cluster ? compileFqdns([cluster]) : anyName,
      node: node ? compileFqdns([node]) : anyName,
    };
  });
  return (text) => {
    const at = text.indexOf('/');
    const cluster = at === -1 ? 'default' : text.slice(0, at);
    const node = text.slice(at + 1);
    return compiled.some((pattern) => pattern.cluster(cluster) && pattern.node(node));
  };
}

const CONTROL = /[\u0000-\u001f\u007f]/;
/** What may stand in front of a path: user, host and port, as Go's net/url takes them. */
const AUTHORITY =
  /^(?:[-A-Za-z0-9._:~!$&'()*+,;=%]*@)?(?:\[[^\]]*\]|(?:[-A-Za-z0-9._~!$&'()*+,;=<>"[\]\u0080-\uffff]|%[89A-Fa-f][0-9A-Fa-f])*)(?::\d*)?$/;

/**
 * The path of the URL of a request, percent-decoded, as Go's url.ParseRequestURI reads it: the URL is absolute or
 * begins with a slash, and has no fragment. Undefined where that fails.
 */
export function requestPath(url: string): string | undefined {
  if (CONTROL.test(url)) return undefined;
  if (url === '*') return url;
  const [, scheme, rest = url] = /^([A-Za-z][-+.A-Za-z0-9]*):(.*)$/s.exec(url) ?? [];
  const before = rest.split('?')[0] ?? '';
  if (!before.startsWith('/')) return scheme === undefined ? undefined : '';
  if (scheme === undefined || !before.startsWith('//')) return unescapePath(before);
  const slash = before.indexOf('/', 2);
  const end = slash === -1 ? before.length : slash;
  return AUTHORITY.test(before.slice(2, end)) ? unescapePath(before.slice(end)) : undefined;
}

function unescapePath(path: string): string | undefined {
  if (!path.includes('%')) return path;
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) return undefined;
  const bytes = Buffer.from(path).toString('latin1');
  const decoded = bytes.replaceAll(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(decoded, 'latin1').toString();
}
