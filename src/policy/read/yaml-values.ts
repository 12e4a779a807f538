import type { Alias, Document, Node, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { MAX_DEPTH } from '../../lib/exact-json.ts';
import type { Path } from '../rule.ts';
import { plainKey, plainScalar } from './yaml-scalar.ts';

type Yaml = typeof import('yaml');

/** Something that kubectl refuses in a document, or reads otherwise than it looks. */
export interface YamlFault {
  severity: 'error' | 'warning';
  code: string;
  message: string;
  hint?: string;
  /** Where it is written: an offset in the file. */
  offset: number;
}

/** What a document says to kubectl. */
export interface YamlValue {
  /** Undefined when nothing can be made of the document; there is an error then. */
  value: unknown;
  faults: YamlFault[];
  /** The nodes along a path, through aliases and merges, as far as they exist. */
  trace(path: Path): Place[];
}

/** A part of a document: its value, and the name or the dash that it stands behind. */
export interface Place {
  node: unknown;
  /** The name of a field; the value itself in a list. */
  at: unknown;
}

/**
 * Makes the value of a parsed document that kubectl makes of it: anchors, merges in their order, YAML 1.1 scalars, names
 * of fields as strings. `document` is parsed with `PARSE_OPTIONS`. Aliases share one value, so many of them cost little.
 */
export function yamlValueOf(document: Document.Parsed, yaml: Yaml): YamlValue {
  const builder = new Builder(yaml);
  let value: unknown;
  try {
    value = builder.read(document.contents);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    builder.faults.push(error.fault);
  }
  return { value, faults: builder.faults, trace: (path) => builder.trace(document.contents, path) };
}

/** Every scalar a string, every tag as written, names that stand twice left to `yamlValueOf`. */
export const PARSE_OPTIONS = {
  schema: 'failsafe',
  resolveKnownTags: false,
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: 'silent',
} as const;

class Unreadable extends Error {
  constructor(readonly fault: YamlFault) {
    super(fault.message);
  }
}

interface Anchored {
  node: Node;
  value?: unknown;
  /** The number of nodes below it, aliases unfolded; undefined while it is being read. */
  size?: number;
}

/** A field of an object: its name and value as written, maybe in an object that was merged into it. */
interface Member {
  key: unknown;
  node: unknown;
  value: unknown;
  merged: boolean;
}

/** More of them no document of a hand has, and a hostile one of a megabyte would take many seconds. */
const MAX_ALIASES = 20_000;

class Builder {
  readonly faults: YamlFault[] = [];
  readonly #anchors = new Map<string, Anchored>();
  readonly #targets = new Map<unknown, Node>();
  readonly #members = new Map<unknown, Map<string, Member>>();
  #nodes = 0;
  #unfolded = 0;
  #aliases = 0;
  #depth = 0;

  constructor(private readonly yaml: Yaml) {}

  read(node: unknown): unknown {
    if (this.#depth >= MAX_DEPTH) throw this.#fault(node, `its parts are nested more than ${MAX_DEPTH} deep`);
    this.#depth++;
    const value = this.#read(node);
    this.#depth--;
    return value;
  }

  #read(node: unknown): unknown {
    if (this.yaml.isAlias(node)) return this.#alias(node).value;
    this.#nodes++;
    if (!this.yaml.isNode(node)) return null;
    const anchor = 'anchor' in node ? node.anchor : undefined;
    if (!anchor) return this.#plain(node);
    const anchored: Anchored = { node };
    this.#anchors.set(anchor, anchored);
    const before = this.#nodes;
    anchored.value = this.#plain(node);
    anchored.size = this.#nodes - before + 1;
    return anchored.value;
  }

  #plain(node: Node): unknown {
    if (this.yaml.isScalar(node)) return this.#scalar(node);
    if (this.yaml.isMap(node)) return this.#object(node);
    if (this.yaml.isSeq(node)) return node.items.map((item) => this.read(item));
    return null;
  }

  #alias(node: Alias): Anchored {
    if (++this.#aliases > MAX_ALIASES)
      throw this.#fault(
        node,
        `the document has more than ${MAX_ALIASES} aliases`,
        'Write out what they stand for, or cut it into several documents.',
      );
    const anchored = this.#anchors.get(node.source);
    if (!anchored)
      throw this.#fault(
        node,
        `the alias *${node.source} stands for nothing`,
        `Nothing before it in this document has the anchor &${node.source}.`,
      );
    if (anchored.size === undefined)
      throw this.#fault(node, `the alias *${node.source} stands inside of what it stands for`);
    this.#targets.set(node, anchored.node);
    this.#nodes += anchored.size + 1;
    this.#unfolded += anchored.size;
    if (this.#unfolded > 100 && this.#nodes > 1000 && this.#unfolded / this.#nodes > aliasRatio(this.#nodes))
      throw this.#fault(node, 'the document has too many aliases', 'Write out what they stand for.');
    return anchored;
  }

  #scalar(node: Scalar): unknown {
    const text = String(node.value ?? '');
    if (node.tag === undefined) {
      const value = this.#isPlain(node) ? plainScalar(text) : text;
      if (typeof value !== 'number' || Number.isFinite(value)) return value;
      this.faults.push(
        this.#fault(node, `${text} is a number that JSON does not have`, `As a string: "${text}".`).fault,
      );
      return text;
    }
    return this.#tagged(node, text, node.tag);
  }

  #tagged(node: Scalar, text: string, tag: string): unknown {
    const type = /^tag:yaml\.org,2002:(\w+)$/.exec(tag)?.[1];
    if (type === 'binary') {
      const packed = text.replace(/\s/g, '');
      if (/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(packed))
        return Buffer.from(packed, 'base64').toString();
      throw this.#fault(node, '!!binary stands before what is not base64');
    }
    if (type === undefined || !['int', 'float', 'bool', 'null'].includes(type)) return text;
    const value = plainScalar(text);
    const found = value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
    const fits = found === type || (found === 'number' && (type === 'float' || Number.isInteger(value)));
    if (fits && found !== 'string') return value;
    throw this.#fault(node, `!!${type} stands before ${JSON.stringify(text)}`);
  }

  #object(node: YAMLMap): Record<string, unknown> {
    const members = new Map<string, Member>();
    for (const { key, value } of node.items) {
      // The parser loses what stands below such a name.
      if (value === null && !node.flow) throw this.#fault(key, 'a name after "?" has no value');
      if (this.#isMerge(key)) this.#merge(key, value, members);
      else {
        const name = this.#name(key, node);
        if (members.get(name)?.merged === false) this.faults.push(this.#doubled(key));
        members.set(name, { key, node: value, value: this.read(value), merged: false });
      }
    }
    this.#members.set(node, members);
    return objectOf(members);
  }

  #isPlain({ type }: Scalar): boolean {
    return type === undefined || type === this.yaml.Scalar.PLAIN;
  }

  #isMerge(key: unknown): boolean {
    if (!this.yaml.isScalar(key) || key.value !== '<<') return false;
    return key.tag === undefined ? this.#isPlain(key) : key.tag === 'tag:yaml.org,2002:merge';
  }

  /** What stands last wins, also against a field of the object itself. Of a list the first item wins. */
  #merge(key: unknown, value: unknown, into: Map<string, Member>): void {
    this.read(value);
    const sources = this.yaml.isSeq(value) ? value.items.toReversed() : [value];
    for (const source of sources) this.#mergeFrom(key, this.#targets.get(source) ?? source, into);
  }

  #mergeFrom(key: unknown, source: unknown, into: Map<string, Member>): void {
    const members = this.#members.get(source);
    if (!members)
      throw this.#fault(
        key,
        '"<<" merges objects only',
        'Its value is an object, an alias of one, or a list of these.',
      );
    for (const [name, member] of members) {
      if (into.get(name)?.merged === false)
        this.faults.push({
          severity: 'warning',
          code: 'merge',
          message: `"<<" overrides the field "${name}" that stands before it`,
          hint: 'kubectl lets the later one win: put "<<" first.',
          offset: this.#offset(key),
        });
      into.set(name, { ...member, merged: true });
    }
  }

  #name(key: unknown, owner: YAMLMap): string {
    const target = this.yaml.isAlias(key) ? this.#alias(key).node : key;
    if (!this.yaml.isScalar(target)) throw this.#fault(key ?? owner, 'the name of a field must be a string');
    if (target === key && target.anchor)
      this.#anchors.set(target.anchor, { node: target, value: this.#scalar(target), size: 1 });
    const plain = target.tag === undefined && this.#isPlain(target);
    const value = plain ? undefined : this.#scalar(target);
    if (typeof value === 'string') return value;
    const text = String(target.value ?? '');
    const name = plainKey(text);
    if (name === undefined)
      throw this.#fault(
        key ?? owner,
        `the name of a field must be a string, found ${text || 'null'}`,
        `Write it in quotes: "${text}".`,
      );
    if (name !== text)
      this.faults.push({
        severity: 'warning',
        code: 'yaml-name',
        message: `the name ${text} is read as "${name}"`,
        hint: `Write it in quotes: "${text}".`,
        offset: this.#offset(key),
      });
    return name;
  }

  #doubled(key: unknown): YamlFault {
    return {
      severity: 'error',
      code: 'doubled-field',
      message: 'this field is written twice',
      hint: 'Only one of them would apply: merge the two or remove one.',
      offset: this.#offset(key),
    };
  }

  #fault(node: unknown, message: string, hint?: string): Unreadable {
    return new Unreadable({
      severity: 'error',
      code: 'syntax',
      message: `malformed policy, not YAML? ${message}`,
      ...(hint !== undefined && { hint }),
      offset: this.#offset(node),
    });
  }

  #offset(node: unknown): number {
    return (this.yaml.isNode(node) ? node.range?.[0] : undefined) ?? 0;
  }

  trace(root: unknown, path: Path): Place[] {
    const places: Place[] = [{ node: root, at: root }];
    let node = this.#targets.get(root) ?? root;
    for (const step of path) {
      const next = this.#step(node, step);
      if (!next) break;
      places.push(next);
      node = this.#targets.get(next.node) ?? next.node;
    }
    return places;
  }

  #step(node: unknown, step: string | number): Place | undefined {
    if (this.yaml.isSeq(node)) {
      const item = typeof step === 'number' ? (node as YAMLSeq).items[step] : undefined;
      return item === undefined ? undefined : { node: item, at: item };
    }
    const member = this.#members.get(node)?.get(String(step));
    return member && { node: member.node, at: member.key };
  }
}

function objectOf(members: ReadonlyMap<string, Member>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const [name, { value }] of members) {
    // A plain assignment of `__proto__` would be lost.
    if (name === '__proto__')
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
    else object[name] = value;
  }
  return object;
}

/** The share of a document that may come from aliases: nearly all of a small one, a tenth of one of four million nodes. */
function aliasRatio(nodes: number): number {
  if (nodes <= 400_000) return 0.99;
  if (nodes >= 4_000_000) return 0.1;
  return 0.99 - (0.89 * (nodes - 400_000)) / 3_600_000;
}
