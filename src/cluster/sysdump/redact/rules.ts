import { isSecretName, isSecretValue, REDACTED } from './keys.ts';
import { NESTED_RULES } from './nested.ts';
import { PROGRAM_RULES } from './programs.ts';
import {
  beginsEscapedLine,
  beginsLine,
  decodes,
  isSecret,
  nameOf,
  QUOTE,
  STEMS,
  type TextRule,
} from './rule.ts';

/** All rules, in the order in which they are applied. Patterns begin with words, so that ordinary text costs little. */
export const TEXT_RULES: readonly TextRule[] = [
  {
    name: 'private-key',
    about: 'private keys in PEM',
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?<secret>(?:(?!-----BEGIN )[\s\S]){1,16000}?)-----END /g,
    isMeant: ({ secret = '' }) => isSecretValue(secret.replace(/\\+[nrt]/g, '')),
  },
  {
    name: 'private-key',
    about: 'private keys in PEM that are cut off',
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?<secret>(?:(?:[\s"'|+,]|\\+[nrt])*(?:REDACTED[A-Za-z0-9+/=]*|[A-Za-z0-9+/=]{24,}))+)/g,
  },
  {
    name: 'putty-key',
    about: 'private keys of PuTTY',
    pattern: /Private-Lines: \d+\r?\n(?<secret>(?:[A-Za-z0-9+/=]+\r?\n)+)/g,
    isMeant: isSecret,
  },
  {
    name: 'jwt',
    about: 'JSON Web Tokens, such as those of service accounts',
    pattern: /(?<![\w-])(?<secret>eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){1,3})/g,
  },
  {
    name: 'http-credentials',
    about: 'credentials in HTTP headers',
    pattern:
      /(?<![\w-])authorization(?:\\*["'])?\s{0,3}[:=]\s{0,3}(?:\\*["'[])*(?:(?:basic|bearer|digest|token|negotiate|apikey|aws4-hmac-sha256)\s+)?(?<secret>[^\s"'\\][^\r\n"'\\]*)/gi,
    isMeant: isSecret,
  },
  {
    name: 'http-credentials',
    about: 'cookies',
    pattern:
      /(?<![\w-])(?:set-)?cookie(?:\\*["'])?\s{0,3}[:=]\s{0,3}(?:\\*["'[])*(?<secret>[\w!#$%&*+.^|~-]+=[^\r\n"'\\]*)/gi,
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
      /:\/\/[^\s/@:"'<>\\[\]]{0,256}:(?!\d{1,5}(?:[/?#,;]|$))(?<secret>(?:(?!:\/\/)[^\s"'<>\\,;]){1,512})@(?=[\w.[-]+(?::\d+)?(?:[^\w@]|$))/g,
    isMeant: isSecret,
  },
  {
    name: 'url-password',
    about: 'passwords in URLs',
    pattern: /:\/\/[^\s/@:"'<>\\]{0,256}:(?<secret>[^\s@"'<>/\\]{1,512})@/gi,
    isMeant: isSecret,
  },
  {
    name: 'url-password',
    about: 'tokens in place of a name in URLs',
    pattern: /:\/\/(?<secret>[^\s/@:"'<>\\]{20,512})@/gi,
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
  {
    name: 'cloud-key',
    about: 'identifiers of access keys',
    pattern: /(?<![A-Za-z0-9])(?<secret>(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[0-9A-Z]{16})(?![A-Za-z0-9])/g,
  },
  {
    name: 'provider-token',
    about: 'tokens that their beginning tells',
    pattern:
      /(?<![A-Za-z0-9_-])(?<secret>gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|gl(?:pat|ptt|dt|rt|cbt)-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}|[rsp]k_(?:live|test)_\w{16,}|whsec_\w{16,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|dckr_(?:pat|oat)_[\w-]{20,}|hv[sbr]\.[\w-]{20,}|s\.[A-Za-z0-9]{24}(?![\w.])|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|do[por]_v1_[a-f0-9]{64}|SG\.[\w-]{16,}\.[\w-]{32,}|sk-[A-Za-z0-9_-]{20,}|glsa_\w{32}_\w{8}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|AGE-SECRET-KEY-1[0-9A-Z]{50,}|\w{14}\.atlasv1\.[\w-]{60,}|ATATT3[\w=-]{50,})/g,
  },
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
      `--(?<name>[\\w-]{0,40}?(?:${STEMS})[\\w-]{0,24})(?:\\\\*["'])?(?:\\s*,\\s*|[ \\t]+|\\s*\\n\\s*-\\s+)(?:\\\\*["'])?(?<secret>(?!-)[^\\s"'\\\\]+)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }) => isSecretName(name) && isSecretValue(secret),
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
      `(?:name|key)${QUOTE}\\s*:\\s*${QUOTE}(?<name>[\\w.-]{2,80})${QUOTE}\\s*,\\s*${QUOTE}value${QUOTE}\\s*:\\s*(?<quote>\\\\*")(?<secret>(?:(?!\\k<quote>)[^\\n]){1,8192}?)\\k<quote>`,
      'g',
    ),
    isMeant: ({ name = '', secret = '' }) => isSecretName(name) && isSecretValue(secret),
  },
  {
    name: 'named-value',
    about: 'values beside a name, as in env',
    pattern: /\bname:[ \t]+["']?(?<name>[\w.-]{2,80})["']?[ \t]*\n[ \t]+value:[ \t]+(?<secret>[^\n]+)/g,
    isMeant: ({ name = '', secret = '' }) =>
      isSecretName(name) && isSecretValue(secret.replace(/^["']|["']$/g, '')),
  },
  ...NESTED_RULES,
  {
    name: 'secret-by-name',
    about: 'blocks of text under a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})["']?:[ \\t]*[|>][-+]?[ \\t]*\\n(?<secret>(?<indent>[ \\t]+)[^\\n]+(?:\\n\\k<indent>[^\\n]*)*)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) =>
      isSecretName(nameOf(around, name)) && isSecretValue(secret),
  },
  {
    name: 'secret-by-name',
    about: 'values in quotes under a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${QUOTE})?\\]?\\s{0,4}(?:=>|:=|[:=])\\s{0,64}(?:(?<=[^\\\\])(?:"")?"(?<secret>(?:[^"\\\\\\n]|\\\\.){1,8192})"|(?<=[^\\\\])'(?<single>[^'\\n]{1,8192})'|(?<=[^\\\\])"(?<cut>[^"\\\\\\n]{1,8192})(?=\\n|$)|(?<quote>\\\\+["'])(?<escaped>(?:(?!\\k<quote>)[^\\n]){1,8192}?)\\k<quote>)`,
      'gi',
    ),
    isMeant: ({ name = '', secret, single, escaped, cut }, around) =>
      isSecretName(nameOf(around, name)) && isSecretValue(secret ?? single ?? escaped ?? cut ?? ''),
  },
  {
    name: 'secret-by-name',
    about: 'a line that begins with a name of secrets',
    pattern: new RegExp(`(?<name>(?:${STEMS})[\\w.-]{0,24}):[ \\t]+(?<secret>[^\\s"'|>{[][^\\r\\n]*)`, 'gi'),
    isMeant: ({ name = '', secret = '' }, around) =>
      beginsLine(around) && isSecretName(nameOf(around, name)) && isSecretValue(secret),
  },
  {
    name: 'secret-by-name',
    about: 'a line that begins with a name of secrets, in a text that is escaped',
    needs: /\\n/,
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24}):[ \\t]+(?<secret>[^\\s"'|>{[\\\\][^"\\\\\\r\\n]*)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) =>
      beginsEscapedLine(around) && isSecretName(nameOf(around, name)) && isSecretValue(secret),
  },
  {
    name: 'secret-by-name',
    about: 'words behind a name of secrets',
    pattern: new RegExp(
      `(?<name>(?:${STEMS})[\\w.-]{0,24})(?:${QUOTE})?\\s{0,4}(?:=>|:=|[:=])[ \\t]{0,4}(?<secret>[^\\s"'\\\\,;&}\\])]+)`,
      'gi',
    ),
    isMeant: ({ name = '', secret = '' }, around) =>
      isSecretName(nameOf(around, name)) && isSecretValue(secret),
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
