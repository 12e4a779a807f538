import { asksNamespace, type Identities, type Identity } from '../selectors/identities.ts';
import { selectsOrWhy } from '../selectors/match.ts';
import type { Selector } from '../selectors/selector.ts';

/** Identifies a rule while other rules are added and removed. */
export type RuleHandle = number;

/** Rules that share a subject. */
interface SubjectGroup {
  subject: Selector;
  handles: Set<RuleHandle>;
}

/** Finds rules by whom they are for. Subjects are indexed by a label that each requires; the others are tried one by one. */
export class SubjectIndex {
  readonly #bySubject = new Map<string, SubjectGroup>();
  readonly #byLabel = new Map<string, Set<SubjectGroup>>();
  readonly #anyLabel = new Set<SubjectGroup>();

  constructor(private readonly identities: Identities) {}

  add(subject: Selector, handle: RuleHandle): void {
    this.#groupOf(subject).handles.add(handle);
  }

  remove(subject: Selector, handle: RuleHandle): void {
    this.#groupOf(subject).handles.delete(handle);
  }

  /** The rules whose subject the identity is, or may be, with the reason why that is not known. */
  handlesFor(identity: Identity): Map<RuleHandle, boolean | string> {
    const found = new Map<RuleHandle, boolean | string>();
    const take = (groups: Iterable<SubjectGroup>) => {
      for (const { subject, handles } of groups) {
        const selected = selectsOrWhy(subject, identity, 'subject');
        if (selected !== false) for (const handle of handles) found.set(handle, selected);
      }
    };
    if (identity.gap) take(this.#bySubject.values());
    else {
      take(this.#anyLabel);
      for (const { key, value } of identity.labels) take(this.#byLabel.get(`${key}=${value}`) ?? []);
    }
    return found;
  }

  /** The group of rules with the same subject. */
  #groupOf(subject: Selector): SubjectGroup {
    const known = this.#bySubject.get(subject.key);
    if (known) return known;
    const group: SubjectGroup = { subject, handles: new Set() };
    this.#bySubject.set(subject.key, group);
    const indexed = subject.kind === 'labels' && !asksNamespace(subject.terms);
    const label = indexed ? this.identities.rarest(subject.terms) : undefined;
    const set = label === undefined ? this.#anyLabel : (this.#byLabel.get(label) ?? new Set());
    if (label !== undefined) this.#byLabel.set(label, set);
    set.add(group);
    return group;
  }
}
