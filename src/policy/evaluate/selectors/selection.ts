import { asksNamespace, type Identities, type Identity } from './identities.ts';
import { isHidden, selects, selectsOrWhy } from './match.ts';
import type { Selector } from './selector.ts';

/** Resolves each selector to identities once. */
export class SelectorCache {
  readonly #sets = new Map<string, Selection>();

  constructor(readonly identities: Identities) {}

  resolve(selector: Selector): Selection {
    const known = this.#sets.get(selector.key);
    if (known) return known;
    const found = this.#find(selector).map(({ id }) => id);
    const selection = new Selection(selector, new Uint32Array(found).sort());
    this.#sets.set(selector.key, selection);
    return selection;
  }

  #find(selector: Selector): Identity[] {
    switch (selector.kind) {
      case 'labels':
        return this.identities
          .select(selector.terms)
          .filter((identity) => !isHidden(identity, selector.terms));
      case 'cidr':
        return selector.prefix.length === 0 || selector.insiders
          ? [...this.identities.all.values()].filter((identity) => selects(selector, identity))
          : this.identities.inside(selector.prefix).filter((identity) => selects(selector, identity));
      case 'fqdn':
        return [...this.identities.all.values()].filter((identity) => selects(selector, identity));
      case 'none':
        return [];
    }
  }
}

/** The identities that a selector selects. */
export class Selection {
  #set: Set<number> | undefined;
  /** By identity: made ones of several owners may share a number. */
  readonly #others = new WeakMap<Identity, boolean | string>();

  constructor(
    readonly selector: Selector,
    /** Ascending. */
    readonly ids: Uint32Array,
  ) {}

  get wildcard(): boolean {
    return this.selector.kind === 'labels' && this.selector.terms.length === 0 && !this.selector.within;
  }

  #isCertain(): boolean {
    const { selector } = this;
    if (selector.kind === 'labels') return !selector.within && !asksNamespace(selector.terms);
    return selector.kind !== 'none' && !(selector.kind === 'cidr' && (selector.insiders || selector.perhaps));
  }

  /** Whether a peer is selected, or why that is not known. Peers that are not in the resolved identities have negative ids. */
  has(peer: Identity): boolean | string {
    if (this.wildcard) return true;
    if (peer.id >= 0 && !peer.gap && this.#isCertain()) {
      this.#set ??= new Set(this.ids);
      return this.#set.has(peer.id);
    }
    const known = this.#others.get(peer);
    if (known !== undefined) return known;
    const answer = selectsOrWhy(this.selector, peer);
    this.#others.set(peer, answer);
    return answer;
  }
}
