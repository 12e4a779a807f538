import { isMixed, isSecretUnder, isSecretValue } from './keys.ts';
import { type Groups, isSecret, type TextRule } from './rule.ts';

/** A word, or what is in quotes. */
const WORD = '(?:\\\\*["\'](?<secret>[^"\'\\n\\\\]+)|(?<single>[^\\s"\'\\\\]+))';
const isWord = ({ secret, single }: Groups) => isSecretValue(secret ?? single ?? '');

/** A program and one of its flags, with the secret behind it. */
function flag(programs: string, flags: string): TextRule {
  return {
    name: 'command-line',
    about: 'passwords in command lines',
    pattern: new RegExp(
      `\\b(?:${programs})\\b[^\\n]{0,400}?[\\s"']-(?:${flags})(?:\\\\*["'])?[\\s,=]*${WORD}`,
      'g',
    ),
    isMeant: isWord,
  };
}

/** A place with what belongs to its word before it. */
function wordAround(text: string, start: number, end: number): string {
  return /[\w.*-]*$/.exec(text.slice(Math.max(0, start - 200), start))?.[0] + text.slice(start, end);
}

/** Communities of BGP have numbers or one of a few names. */
const isCommunity = ({ secret, single }: Groups) => {
  const value = secret ?? single ?? '';
  return (
    isSecretValue(value) &&
    !/^(?:0x[\da-f]+|[\d:]+|(?:no|local|accept|llgr|graceful|blackhole)\b.*|internet|none|additive|list|string|standard|extended|large|is|of|and)$/i.test(
      value,
    )
  );
};

/** Rules for the settings, files and command lines of programs that have ways of their own. */
export const PROGRAM_RULES: readonly TextRule[] = [
  flag('ldap(?:search|add|modify|modrdn|delete|whoami|passwd|compare)', 'w'),
  flag('(?:docker|podman|nerdctl|skopeo|buildah|crane|helm|oras|regctl|oc|az)\\b[^\\n]{0,80}?\\slogin', 'p'),
  flag('snmp(?:get|getnext|walk|bulkget|bulkwalk|set|table|trap|inform)', '[cAX]'),
  flag('ipmitool|mosquitto_(?:pub|sub)', 'P'),
  flag('mongo(?:sh|dump|restore|export|import)?', 'p'),
  flag('zip|unzip', 'P'),
  flag('7z[ar]?', 'p'),
  flag('openssl[ \\t]+(?:enc|aes\\S*|des\\S*|camellia\\S*)', '[kK]'),
  flag('keytool|jarsigner|apksigner|pk12util', '(?:(?:src|dest)?(?:store|key)pass(?:word)?|W)'),
  {
    name: 'command-line',
    about: 'passwords that a program reads from its input',
    pattern: new RegExp(
      `(?:--?(?:password|passphrase|token|pass|pw)-stdin|--with-token|\\b(?:chpasswd|passwd|sudo[ \\t]+-S|cryptsetup))\\b[^\\n]{0,200}?<<<[ \\t]*${WORD}`,
      'g',
    ),
    isMeant: isWord,
  },
  {
    name: 'command-line',
    about: 'passwords that are given to a program that reads them from its input',
    pattern: new RegExp(
      `\\b(?:echo|printf)[ \\t]+(?:-[neE]+[ \\t]+)?(?:(?:\\\\*["'])?%s(?:\\\\?\\\\n)?(?:\\\\*["'])?[ \\t]+)?${WORD}(?=\\\\*["']?[ \\t]*\\|[^\\n]{0,200}(?:-stdin\\b|--with-token\\b|/dev/stdin\\b|\\bsudo[ \\t]+-S\\b|\\bcryptsetup\\b))`,
      'g',
    ),
    isMeant: isWord,
  },
  {
    name: 'command-line',
    about: 'keys that WireGuard makes',
    pattern: /\bwg gen(?:key|psk)\s+(?<secret>[A-Za-z0-9+/]{43}=)/g,
  },
  {
    name: 'program-setting',
    about: 'passwords in SQL',
    pattern: new RegExp(
      `\\bIDENTIFIED[ \\t]+(?:WITH[ \\t]+\\S+[ \\t]+)?(?:BY|AS)[ \\t]+(?=\\\\*["'])${WORD}`,
      'gi',
    ),
    isMeant: isWord,
  },
  {
    name: 'program-setting',
    about: 'variables of images',
    pattern: new RegExp(`\\b(?:ENV|setenv|SetEnv)[ \\t]+(?<name>\\w{2,80})[ \\t]+${WORD}`, 'g'),
    isMeant: ({ name = '', secret, single }) => isSecretUnder(name, secret ?? single ?? ''),
  },
  {
    name: 'program-setting',
    about: 'keys that unseal Vault',
    pattern: /\b(?:Unseal|Recovery) Key \d{1,2}: *(?<secret>[\w+/=]{20,})/gi,
    isMeant: isSecret,
  },
  {
    name: 'command-line',
    about: 'passwords in command lines',
    pattern:
      /(?:-pass(?:in|out)?[\s"',]+pass:|--from-literal[\s"',=]+[\w.-]+=|\b(?:smbclient|rpcclient)\b[^\n]{0,200}?\s-U\s*[^\s%]+%)(?<secret>[^\s"'\\,]+)/g,
    isMeant: isSecret,
  },
  {
    name: 'command-line',
    about: 'passwords that are given to chpasswd',
    pattern: /\becho\s[^\n|:]{0,60}:(?<secret>[^\s"'|]+)(?=["']?\s*\|[^\n|]{0,40}\bchpasswd)/g,
    isMeant: isSecret,
  },
  {
    name: 'program-setting',
    about: 'settings of Redis, keepalived, HAProxy, SNMP and routers, which have a space before the secret',
    pattern: new RegExp(
      `\\b(?:requirepass|masterauth|bindpw|rootpw|wpa_passphrase[ \\t]+\\S+|(?:trap|trap2|inform)sink[ \\t]+\\S+|nmcli[ \\t][^\\n]{0,200}?[ \\t]password|auth_pass|insecure-password|r[ow]community6?|snmp-server community|com2sec6?[ \\t]+\\S+[ \\t]+\\S+|createUser[ \\t]+\\S+[ \\t]+(?:MD5|SHA\\S*)|neighbor[ \\t]+\\S+[ \\t]+password|enable[ \\t]+(?:secret|password)|username[ \\t]+\\S+[ \\t]+(?:privilege[ \\t]+\\d+[ \\t]+)?(?:secret|password)|key-string|authentication-key|message-digest-key[ \\t]+\\d+[ \\t]+md5)[ \\t]+(?:\\d{1,2}[ \\t]+)?${WORD}`,
      'g',
    ),
    isMeant: isWord,
  },
  {
    name: 'program-setting',
    about: 'communities of SNMP',
    pattern: /\bsnmp\w*:[ \t]*\n(?:[ \t]+[^\n]*\n){0,8}?[ \t]+community:[ \t]+["']?(?<secret>[^\s"']+)/g,
    isMeant: isSecret,
  },
  {
    name: 'program-setting',
    about: 'communities of SNMP, which have a line of their own',
    pattern: new RegExp(
      `(?:(?<=(?:^|["']|\\dZ )[ \\t]*)|\\bsnmp\\b[^\\n]{0,40}?)community[ \\t]+${WORD}(?=["']?[ \\t]*(?:$|[\\r{;,}]|\\\\+[nr]|(?:ro|rw|authorization|view|ipv[46]|network)\\b))`,
      'gim',
    ),
    isMeant: isCommunity,
  },
  {
    name: 'program-setting',
    about: 'communities of SNMP in JSON',
    pattern: /\bcommunity\\*"\s*:\s*\\*"(?<secret>[^"\\\s]+)/gi,
    isMeant: isCommunity,
  },
  {
    name: 'ipsec-secret',
    about: 'lines of ipsec.secrets',
    pattern: new RegExp(
      `(?<![^\\s"']):[ \\t]*(?:(?:PSK|EAP|XAUTH|NTLM|PIN)|(?:RSA|ECDSA|PKCS8|P12)[ \\t]+\\S+)[ \\t]+${WORD}`,
      'g',
    ),
    isMeant: isWord,
  },
  {
    name: 'password-file',
    about: 'lines of .pgpass',
    pattern:
      /:(?<port>\*|\d{1,5}):(?<=(?:^|[\s"'=])[\w.*-]{1,200}:[\d*]{1,5}:)(?!(?:tcp|udp|sctp)\b)[\w.*-]{1,64}:[\w.*-]{1,64}:(?<secret>[^\s"'\\]+)(?=["',}\\]|\s|$)/gi,
    // An address of IPv6 has such parts too, and so do messages with a file and a line.
    isMeant: ({ port = '', secret = '' }, { text, start, end }) => {
      const line = wordAround(text, start, end);
      if (!isSecretValue(secret) || !/[^0-9a-f:][\w.*:-]*$/i.test(line)) return false;
      return (
        /^(?:\*|[56]\d{3}|26257)$/.test(port) ||
        (isMixed(secret) && !/\.(?:go|cc?|h|cpp|py|rs|[jt]s|java|rb|sh):\d+:/.test(line))
      );
    },
  },
  {
    name: 'password-hash',
    about: 'lines of htdigest',
    pattern:
      /:(?<secret>[0-9a-f]{32})(?<=(?:^|[\s"'])[\w.-]{1,64}:[^:\s"']{1,64}:[0-9a-f]{32})(?=["'\\]|\s|$)/g,
  },
  {
    name: 'password-hash',
    about: 'hashes of passwords, as LDAP and htpasswd have them',
    pattern: /\{(?:S?SHA(?:256|384|512)?|S?MD5|CRYPT|PBKDF2\S{0,12})\}(?<secret>[\w+/=$.]{13,})/g,
    isMeant: isSecret,
  },
  {
    name: 'session',
    about: 'sessions of browsers',
    pattern: /(?:sess(?:ion)?[-_]?id|connect\.sid)=(?<secret>(?=[\w%.+/~-]*\d)[\w%.+/~-]{12,})/gi,
    isMeant: isSecret,
  },
];
