import type { AddressRange } from '../../../lib/address.ts';
import { type LabelSelector, type Term, termsOf } from '../../../model/selector.ts';
import type { FqdnSelector } from '../../rule.ts';

/** One selector of peers. Selectors with equal keys select the same identities. */
export type Selector =
  /** Of one address family, if it says so, or of nodes. `within` are bounds that are not known for certain. */
  | {
      kind: 'labels';
      key: string;
      terms: readonly Term[];
      family?: 4 | 6;
      nodes?: true;
      within?: Bounds;
    }
  /**
   * `insiders` are the peers of the cluster that it may select too, by their addresses. `perhaps`: it may select prefixes
   * that contain a hole, and selects nobody for certain; the text says why that is not known. `split`: addresses without a
   * prefix have an identity for each family, so the one world is no peer.
   */
  | {
      kind: 'cidr';
      key: string;
      prefix: AddressRange;
      holes: readonly AddressRange[];
      insiders?: Insiders;
      perhaps?: string;
      split?: true;
    }
  | { kind: 'fqdn'; key: string; labels: readonly string[]; pattern: RegExp }
  /** Selects no peer. `why` says which data is missing, if that is the reason, and `among` what it can select. */
  | { kind: 'none'; key: string; why?: string; among?: Among };

/**
 * Whom the selector leaves out although its terms do not: peers of other clusters, all but other nodes, or everybody. Where
 * `why` is there, only some releases do so.
 */
export interface Bounds {
  /** The name of the own cluster; undefined when it is not known. */
  cluster?: { name: string | undefined };
  remoteNodes?: true;
  everybody?: true;
  why?: string;
}

/**
 * Peers of the cluster that CIDR rules select with the agent's option `policy-cidr-match-mode`. Missing: not these; a text
 * says why it is not known. `only`: the addresses outside the cluster have a selector of their own.
 */
export interface Insiders {
  nodes?: true | string;
  pods?: true | string;
  only?: true;
}

/** Pods, hosts outside the cluster, both, hosts outside and nodes, or all of these. */
export type Among = 'pods' | 'outside' | 'both' | 'hosts' | 'anyone';

/** Selects every peer. */
export const WILDCARD: Selector = { kind: 'labels', key: '', terms: [] };
/** Selects no peer. */
export const NOBODY: Selector = { kind: 'none', key: 'none' };

/** Selects by labels; `extra` are further requirements. */
export function labelSelector(
  selector: LabelSelector,
  extra: readonly Term[] = [],
): Extract<Selector, { kind: 'labels' }> {
  const terms = [...termsOf(selector), ...extra];
  return { kind: 'labels', key: canonical(terms), terms };
}

/** Equal for selectors that select the same, as far as the order of terms and values goes. */
export function canonical(terms: readonly Term[]): string {
  return terms
    .map(
      ({ source, name, operator, values }) =>
        `${source}:${name} ${operator} ${[...new Set(values)].sort().join(',')}`,
    )
    .sort()
    .join(' & ');
}

/** Matches addresses that the agent has labelled with this selector, and peers whose name is known. */
export function fqdnSelector({ matchName, matchPattern }: FqdnSelector): Selector {
  const text = (matchName ?? matchPattern ?? '').toLowerCase().replace(/\.$/, '');
  const pattern = matchName === undefined ? patternOf(text) : new RegExp(`^${escapeText(text)}$`);
  return { kind: 'fqdn', key: `fqdn ${text}`, labels: [text, `${text}.`], pattern };
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** `*` matches any characters within a DNS label, a pattern of only stars any name, a leading `**.` any depth. */
function patternOf(text: string): RegExp {
  if (/^\*+$/.test(text)) return /^.*$/;
  const deep = text.startsWith('**.');
  const rest = escapeText(deep ? text.slice(3) : text).replaceAll('\\*', '[-a-z0-9_]*');
  return new RegExp(`^${deep ? '([-a-z0-9_]+\\.)+' : ''}${rest}$`);
}

type Labels = Extract<Selector, { kind: 'labels' }>;

/** The selector within bounds that are not known for certain. */
export function bounded(selector: Labels, within: Bounds | undefined): Labels {
  return within ? { ...selector, key: `${selector.key} within ${JSON.stringify(within)}`, within } : selector;
}

/** A selector that may select peers, which is not known, for each list that has any. */
export function unknownPeers(list: readonly unknown[] | undefined, why: string, among: Among): Selector[] {
  return list?.length ? [{ kind: 'none', key: `none ${why}`, why, among }] : [];
}

/** The selector of a reserved identity by its name. */
export function reserved(name: string): Selector {
  return labelSelector({ matchLabels: { [`reserved:${name}`]: '' } });
}
