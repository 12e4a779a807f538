import { BELOW_RULE } from './below.ts';
import { isSecretName, isSecretUnder, isSecretValue, REDACTED } from './keys.ts';
import { NESTED_RULES } from './nested.ts';
import { PEM_RULES } from './pem.ts';
import { PROGRAM_RULES } from './programs.ts';
import { beginsLine, beginsQuoted, decodes, isSecret, nameOf, QUOTE, STEMS, type TextRule } from './rule.ts';
import { PROVIDER_TOKENS } from './tokens.ts';

/** All rules, in the order in which they are applied. Patterns begin with words, so that ordinary text costs little. */
export const TEXT_RULES: readonly TextRule[] = [
  ...PEM_RULES,
  {
    name: 'putty-key',
    about: 'private keys of PuTTY',
    pattern: /Private-Lines: \d+\r?\n(?<secret>(?:[A-Za-z0-9+/=]+\r?\n)+)/g,
    isMeant: isSecret,
  },
  {
    name: 'jwt',
    about: 'JSON Web Tokens, such as those of service accounts',
    pattern: /(?:(?<![A-Za-z0-9-])|(?<=\\[nrt]))(?<secret>eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){1,3})/g,
  },
  {
    name: 'http-credentials',
    about: 'credentials in HTTP headers',
    pattern:
      /(?<![\w-])authorization(?:\\*["'])?\s{0,3}[:=]\s{0,3}(?:\\*["'[])*(?:(?:basic|bearer|digest|token|negotiate|apikey|aws4-hmac-sha256)\s+)?(?<secret>[^\s"'\\][^\r\n"'\\\]]*)/gi,
    isMeant: isSecret,
  },
  {
    name: 'http-credentials',
    about: 'cookies',
    pattern:
      /(?<![\w-])(?:set-)?cookie(?:\\*["'])?\s{0,3}[:=]\s{0,3}(?:\\*["'[])*(?<secret>[\w!#$%&*+.^|~-]+=[^\r\n"'\\\]]*)/gi,
  },
  {
    name: 'bearer-token',
    about: 'bearer tokens',
    pattern: /\bbearer\s+(?<secret>(?=[^\s"']*[0-9A-Z._~+/])[A-Za-z0-9._~+/=-]{8,})/gi,
    isMeant: isSecret,
  },
  {
    name: 'basic-credentials',
    about: 'name and password of basic authentication',
    pattern: /\bbasic\s+(?<secret>[A-Za-z0-9+/]{6,}={0,2})/gi,
    isMeant: ({ secret }) => decodes(secret, /^[\x20-\x7e]+:[\x20-\x7e]*$/),
  },
  {
    name: 'url-password',
    about: 'passwords in URLs that hold a slash or an @',
    // What begins with a port is the address of a server, and an @ behind it is of its path.
    pattern:
      /:(?:\\*\/){2}[^\s/@:"'<>\\[\]]{0,256}:(?!\d{1,5}(?:[/?#,;]|$))(?<secret>(?:(?!:\/\/)[^\s"'<>\\,;]){1,512})@(?=[\w.[-]+(?::\d+)?(?:[^\w@]|$))/g,
    isMeant: isSecret,
  },
  {
    name: 'url-password',
    about: 'passwords in URLs',
    pattern: /:(?:\\*\/){2}[^\s/@:"'<>\\]{0,256}:(?<secret>[^\s@"'<>/\\]{1,512})@/gi,
    isMeant: isSecret,
  },
  {
    name: 'url-password',
    about: 'tokens in place of a name in URLs',
    pattern: /:(?:\\*\/){2}(?<secret>[^\s/@:"'<>\\]{20,512})@/gi,
  },
  {
    name: 'url-password',
    about: 'passwords before an address without a scheme',
    pattern:
      /(?<![\w.:/@%+-])[\w.+-]{1,64}:(?<secret>(?!v?\d+(?:\.\d+)+)(?=[^\s@]*\d)[^\s@:/"'<>\\]{6,})@(?:(?:tcp|udp|unix)\(|[\w-]+(?:\.[\w-]+)+(?::\d+|\/))/g,
    isMeant: isSecret,
  },
  {
    name: 'url-password',
    about: 'passwords as Oracle has them',
    pattern: /(?:\boracle:\w+:|\bsqlplus\s+(?:-\S+\s+)*)[\w.$-]{1,64}\/(?<secret>[^\s@"'\\]{1,128})@/g,
    isMeant: isSecret,
  },
  {
    name: 'signed-url',
    about: 'signatures in URLs',
    pattern:
      /[?&](?:sig|signature|x-amz-(?:signature|security-token|credential)|x-goog-signature)=(?<secret>[^&\s"'\\]+)/gi,
    isMeant: isSecret,
  },
  {
    name: 'signed-url',
    about: 'keys in URLs, under names that other things have too',
    pattern:
      /[?&](?:key|auth|code|sid|pass|pw|session|jwt|assertion|subscription-key)=(?<secret>(?=[\w~=-]*\d)[\w~=-]{8,})(?![\w.%/:])/gi,
    isMeant: isSecret,
  },
  {
    name: 'webhook',
    about: 'addresses that are secrets themselves',
    pattern:
      /(?:hooks\.slack\.com\/(?:services|workflows|triggers)|discord(?:app)?\.com\/api(?:\/v\d+)?\/webhooks|webhook\.office\.com\/webhookb2|outlook\.office(?:365)?\.com\/webhook|api\.telegram\.org(?:\/file)?(?=\/bot\d+:))\/(?<secret>[\w@/:-]+)/gi,
    isMeant: isSecret,
  },
  PROVIDER_TOKENS,
  {
    name: 'bootstrap-token',
    about: 'tokens that nodes join with',
    pattern:
      /(?<![\w.-])(?<secret>(?=[a-z]*\d)(?=[a-z0-9]{6}\.[a-z]*\d)[a-z0-9]{6}\.[a-z0-9]{16})(?![\w.-])/g,
  },
  {
    name: 'ipsec-key',
    about: 'keys of IPsec, as files and ip xfrm have them',
    pattern:
      /(?:rfc4106|rfc4543|hmac|cbc|ctr|xcbc|gcm|authenc|cmac|ecb)\([\w(),-]{1,40}\)+\s+(?<secret>(?:0x)?[0-9a-fA-F]{16,})/g,
  },
  {
    name: 'wireguard-key',
    about: 'private keys of WireGuard in a dump of it',
    needs: /=(?:\t|\\+t)/,
    pattern:
      /(?<![A-Za-su-z0-9+/])(?<secret>[A-Za-z0-9+/]{43}=)(?:\t|\\+t)[A-Za-z0-9+/]{43}=(?:\t|\\+t)(?:\d+|off)(?:\t|\\+t)(?:0x[0-9a-f]+|off)/g,
  },
  {
    name: 'wireguard-key',
    about: 'preshared keys of WireGuard in a dump of it',
    needs: /=\t/,
    pattern: /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=\t(?<secret>[A-Za-z0-9+/]{43}=)\t(?:\S+:\d+|\(none\))\t/g,
  },
  {
    name: 'password-hash',
    about: 'hashes of passwords',
    pattern: /(?<secret>\$(?:2[abxy]?|1|5|6|7|y|apr1|argon2(?:id|i|d)|scrypt)\$[./A-Za-z0-9$=,+]{20,})/g,
  },
  {
    name: 'command-line',
    about: 'passwords in command lines',
    pattern:
      /\b(?:curl|wget|http|etcdctl)\b[^\n]{0,400}?[\s"'](?:-u[\s"',=]*|(?:--user|--proxy-user)[\s"',=]+)[^\s:"',]+:(?<secret>[^\s"'\\]+)/g,
    isMeant: isSecret,
  },
  {
    name: 'command-line',
    about: 'passwords in command lines',
    pattern:
      /(?:\bmysql\w*\b[^\n]{0,200}?[\s"']-p|\bsshpass[\s"',]+-p[\s"',]*|\bredis-cli\b[^\n]{0,200}?[\s"']-a[\s"',]+)(?<secret>[^\s"'\\]+)/g,
    isMeant: isSecret,
  },
  {
    name: 'command-line',
    about: 'flags with a secret behind them',
    pattern: new RegExp(
      `--(?<name>(?:pass|pw)\\b|[\\w-]{0,40}?(?:${STEMS})[\\w-]{0,24})(?:\\\\*["'])?(?:\\s*,\\s*|[ \\t]+|\\s*\\n\\s*-\\s+)(?:\\\\*["'])?(?<secret>(?!-)[^\\s"'\\\\]+)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }) => isSecretUnder(name, secret),
  },
  {
    name: 'connection-string',
    about: 'passwords among the parts of a connection',
    pattern: /;\s*pwd\s*=\s*(?<secret>[^\s;"']+)/gi,
    isMeant: isSecret,
  },
  ...PROGRAM_RULES,
  {
    name: 'netrc',
    about: 'passwords as .netrc has them',
    pattern: /\blogin\s+\S+\s+password\s+(?<secret>\S+)/g,
    isMeant: isSecret,
  },
  {
    name: 'registry-auth',
    about: 'credentials of registries',
    pattern: /(?<![A-Za-z0-9])auth\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?(?<secret>[A-Za-z0-9+/]{6,}={0,2})/g,
    isMeant: ({ secret }) => decodes(secret, /^[\x20-\x7e]+:[\x20-\x7e]+$/),
  },
  {
    name: 'secret-object',
    about: 'data of Secrets',
    pattern: /"(?:data|stringData)\\*"\s*:\s*\{(?<secret>[^{}]{1,200000})\}/g,
    isMeant: ({ secret = '' }, { text, start, end }) =>
      secret.trim() !== REDACTED &&
      /kind\\*"\s*:\s*\\*"Secret\\*"/.test(text.slice(Math.max(0, start - 4000), end + 4000)),
  },
  {
    name: 'secret-object',
    about: 'data of Secrets',
    pattern: /^(?<indent>[ \t-]*)(?:data|stringData):[ \t]*\n(?<secret>(?:\k<indent>[ \t]+\S[^\n]*\n?)+)/gm,
    isMeant: ({ secret = '' }, { text, start, end }) =>
      secret.trim() !== REDACTED &&
      /^[ \t-]*kind:[ \t]*"?Secret"?[ \t]*$/m.test(documentAround(text, start, end)),
  },
  {
    name: 'named-value',
    about: 'values beside a name, as in env and headers',
    pattern: new RegExp(
      `(?:name|key)${QUOTE}\\s*:\\s*${QUOTE}(?<name>[\\w.-]{2,80})${QUOTE}\\s*,\\s*${QUOTE}(?:raw_?|string_?)?value${QUOTE}\\s*:\\s*(?<quote>\\\\*")(?<secret>(?:(?!\\k<quote>)[^\\n]){1,8192}?)\\k<quote>`,
      'g',
    ),
    isMeant: ({ name = '', secret = '' }) => isSecretUnder(name, secret),
  },
  {
    name: 'named-value',
    about: 'values before their name',
    pattern: new RegExp(
      `(?<=["'])(?:raw_?|string_?)?value${QUOTE}\\s*:\\s*(?<quote>\\\\*")(?<secret>(?:(?!\\k<quote>)[^\\n]){1,8192}?)\\k<quote>\\s*,\\s*${QUOTE}(?:name|key)${QUOTE}\\s*:\\s*${QUOTE}(?<name>[\\w.-]{2,80})${QUOTE}`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }) => isSecretUnder(name, secret),
  },
  {
    name: 'named-value',
    about: 'headers as pairs, as Envoy has them in its log',
    pattern: new RegExp(
      `(?<=["'])(?<name>[\\w.-]{0,40}(?:${STEMS}|cookie)[\\w.-]{0,24})${QUOTE}\\s*,\\s*(?<quote>\\\\*["'])(?<secret>(?=[^"'\\n]*[\\d=])[^"'\\n\\\\]{8,8192}?)\\k<quote>`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }) => /^[\w.-]+$/.test(name) && isSecretUnder(name, secret),
  },
  {
    name: 'named-value',
    about: 'values beside a name, as in env',
    pattern: /\bname:[ \t]+["']?(?<name>[\w.-]{2,80})["']?[ \t]*\n[ \t]+value:[ \t]+(?<secret>[^\n]+)/g,
    isMeant: ({ name = '', secret = '' }) =>
      isSecretName(name) && isSecretValue(secret.replace(/^["']|["']$/g, '')),
  },
  ...NESTED_RULES,
  BELOW_RULE,
  {
    name: 'secret-by-name',
    about: 'blocks of text under a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})["']?:[ \\t]*[|>][-+]?[ \\t]*\\n(?<secret>(?<indent>[ \\t]+)[^\\n]+(?:\\n\\k<indent>[^\\n]*)*)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) => isSecretUnder(nameOf(around, name), secret),
  },
  {
    name: 'secret-by-name',
    about: 'values in quotes under a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${QUOTE})?\\]?\\s{0,4}(?:=>|:=|[:=])\\s{0,64}(?:(?<=[^\\\\])(?:"")?"(?<secret>(?:[^"\\\\\\n]|\\\\.){1,8192})"|(?<=[^\\\\])'(?<single>[^'\\n]{1,8192})'|(?<=[^\\\\])"(?<cut>[^"\\\\\\n]{1,8192})(?=\\n|$)|(?<quote>\\\\+["'])(?<escaped>(?:(?!\\k<quote>)[^\\n]){1,8192}?)\\k<quote>)`,
      'gi',
    ),
    isMeant: ({ name = '', secret, single, escaped, cut }, around) =>
      isSecretUnder(nameOf(around, name), secret ?? single ?? escaped ?? cut ?? ''),
  },
  {
    name: 'secret-by-name',
    about: 'a line that begins with a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})::?[ \\t]+(?<secret>[^\\s"'|>{[][^\\r\\n]*)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) =>
      beginsLine(around) && isSecretUnder(nameOf(around, name), secret),
  },
  {
    name: 'secret-by-name',
    about: 'a text in quotes, or a line of it, that begins with a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})::?[ \\t]+(?<secret>[^\\s"'|>{[\\\\][^"\\\\\\r\\n]*)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) =>
      beginsQuoted(around) && isSecretUnder(nameOf(around, name), secret),
  },
  {
    name: 'secret-by-name',
    about: 'words behind a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${QUOTE})?\\s{0,4}(?:=>|:=|[:=])[ \\t]{0,4}(?<secret>(?!\\{[\\w.-]+:)[^\\s"'\\\\,;&}\\])]+)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) => isSecretUnder(nameOf(around, name), secret),
  },
  {
    name: 'told-password',
    about: 'passwords that a sentence tells',
    pattern:
      /\b(?:password|passphrase|passwd)(?:\s+(?:is|was|of \S+ is|for \S+ is))?\s+["'`](?<secret>[^"'`\s]{3,})["'`]/gi,
    isMeant: isSecret,
  },
];

/** The YAML document, or the item of a list, that a place is in: as far as the next mark of one. */
function documentAround(text: string, start: number, end: number): string {
  const before = text.slice(Math.max(0, start - 4000), start);
  const after = text.slice(end, end + 4000);
  const from = Math.max(before.lastIndexOf('\n---'), before.lastIndexOf('\n- ') - 1, 0);
  const to = after.search(/\n---|^- |\n- /m);
  return `${before.slice(from)}\n${to < 0 ? after : after.slice(0, to)}`;
}
