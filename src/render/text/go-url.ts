import { decodePercent } from '../../lib/percent.ts';

/** The fields of Go's url.URL, in the order in which its JSON has them. */
export interface GoUrl {
  Scheme: string;
  Opaque: string;
  User: Record<string, never> | null;
  Host: string;
  Path: string;
  RawPath: string;
  OmitHost: boolean;
  ForceQuery: boolean;
  RawQuery: string;
  Fragment: string;
  RawFragment: string;
}

/**
 * Splits a URL as Go's net/url does. Raw forms are kept only where the decoded text would be escaped differently when
 * it is written again. The URL comes from a proxy's log and is never refused: a broken escape stays as it is.
 */
export function goUrl(text: string): GoUrl {
  const [beforeFragment, fragment] = cut(text, '#');
  const [beforeQuery, query] = cut(beforeFragment, '?');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(beforeQuery)?.[1] ?? '';
  const rest = scheme === '' ? beforeQuery : beforeQuery.slice(scheme.length + 1);
  const opaque = scheme !== '' && !rest.startsWith('/') ? rest : '';
  const hasAuthority = rest.startsWith('//') && !(scheme === '' && rest.startsWith('///'));
  const authority = hasAuthority ? /^\/\/([^/]*)/.exec(rest)?.[1] : undefined;
  const rawPath = opaque === '' ? rest.slice(authority === undefined ? 0 : authority.length + 2) : '';
  const user = authority?.lastIndexOf('@') ?? -1;
  const path = decodePercent(rawPath);
  const decodedFragment = decodePercent(fragment ?? '');
  return {
    Scheme: scheme.toLowerCase(),
    Opaque: opaque,
    User: user === -1 ? null : {},
    Host: decodePercent(authority?.slice(user + 1) ?? ''),
    Path: path,
    // The path of a request for the server itself is no escaped one.
    RawPath: text === '*' || encodePath(path) === rawPath ? '' : rawPath,
    OmitHost: scheme !== '' && authority === undefined && rawPath.startsWith('/'),
    ForceQuery: query === '' && !beforeFragment.slice(0, -1).includes('?'),
    RawQuery: query ?? '',
    Fragment: decodedFragment,
    RawFragment: encodeFragment(decodedFragment) === (fragment ?? '') ? '' : (fragment ?? ''),
  };
}

function cut(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + 1)];
}

/** Go leaves `$&+,/:;=@` and the unreserved marks as they are in a path. */
function encodePath(path: string): string {
  return encodeURIComponent(path)
    .replace(/%(24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** In a fragment some more. */
function encodeFragment(fragment: string): string {
  return encodePath(fragment).replace(/%(21|28|29|2A|3F)/g, decodeURIComponent);
}
