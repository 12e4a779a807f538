/** What stands in place of a secret. Of word characters alone, so that what follows in the next piece joins it. */
export const REDACTED = 'REDACTED';

/** How the names end that are given to secrets, without what is neither letter nor digit. */
const ENDS =
  /(?:passw(?:or)?ds?|passphrases?|passcode|(?<=^|store|key|db|smtp|mail|user|my|sql|redis|ldap|admin|root|bind|auth|http|proxy)pass|pwd|(?:bind|root|admin|user|db)pw|authtok|secret|token|(?:api|access|private|secret|encryption|encrypt|signing|shared|sharedaccess|account|preshared|master|auth|ssh|ipsec|licen[cs]e|luks|unseal|recovery|hmac|aes|decryption|wrapping)key|privatekeyid|secretkeybase|keytab|snmpcommunity|communitystring|clientkeydata|tlskey|cakey|credentials?|authorization|cookie|psk|connectionstring|dsn|sasurl|sassignature|(?:client|saml)assertion|samlresponse|dockerconfigjson|dockercfg|bearer|keymaterial|htpasswd|webhookurl)(?:\d{0,2}|value|data|base64|b64|plain|string)?$/;
/** Names that end like those and say where a secret is, or whether there is one; a letter may be of what was escaped before. */
const NAMES_ONE =
  /(?:existing|pull|tls|ca|cert|certificate|bundle|root|kubernetes|use|has|with|require|enable|mount|automountserviceaccount|serviceaccount|no|max|min|next|continue|page)(?:secret|token|credentials?)$|^[nrt]?(?:old)?pwd$/;

/** Whether a secret is what usually stands under a name, in whatever way its words are joined. */
export function isSecretName(name: string): boolean {
  if (/(?:^|[-_.])(?:(?:pass|pw)\d{0,2}|sas)$/i.test(name) || /[a-z]Pw$/.test(name)) return true;
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return ENDS.test(plain) && !NAMES_ONE.test(plain);
}

/** Whether several secrets are what usually stands under a name, each in its own way: in a list, a map, or one text. */
export function isNameOfSecrets(name: string): boolean {
  return /(?:token|key|passphrase|pass(?:wor|w)d|psk)s$/i.test(name) && isSecretName(name.slice(0, -1));
}

/** Whether a text is one that nobody thinks up as a name: letters of both sizes and digits. */
export function isRandom(text: string): boolean {
  return /^[\w+/=~!@#%^*.-]{10,}$/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}

/** Letters and digits, as words of a language do not have them. */
export function isMixed(text: string): boolean {
  return text.length >= 8 && /[a-z]/i.test(text) && /\d/.test(text) && !text.includes('/');
}

/** Whether a value is a secret under a name of one, or of several. */
export function isSecretUnder(name: string, value: string): boolean {
  if (!isSecretValue(value)) return false;
  return isSecretName(name) || (isNameOfSecrets(name) && !/^\s*[\d.]+\s*$/.test(value));
}

/** What stands under such a name and is none: nothing, a switch, a reference, or one that was replaced before. */
const NO_SECRET =
  /^(?:|true|false|yes|no|on|off|null|nil|none|undefined|unset|empty|string|strings|bytes|~|\d{1,3}|<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_]+|\*+|x{3,}|X{3,}|\.{3}|\[?redacted\]?|[[{]+|\{\}|\[\]|""|''|[|>][-+]?|\[?(?:basic|bearer|digest|negotiate|token)(?:\s+redacted)?)$/i;

/** A file that holds one. */
const FILE =
  /^["']?(?:(?:FILE:)?\/(?:etc|var|run|tmp|opt|usr|home|root|srv|mnt|secrets?|certs?|tls|config|host|proc|dev)\/[\w./@-]+|[\w.-]+\.(?:key|pem|crt|keytab|p12|jks))["']?$/;

/** Kafka calls its requests so, and a policy names them as apiKey. */
const KAFKA =
  /^(?:produce|fetch|offsets|(?:consumer|update)?metadata|leaderandisr|stopreplica|controlledshutdown|offset(?:commit|fetch|forleaderepoch)|findcoordinator|(?:join|leave|sync)group|heartbeat|(?:describe|list|delete)groups|saslhandshake|saslauthenticate|apiversions|(?:create|delete)(?:topics|acls|partitions|records)|initproducerid|(?:add|write|end)(?:partitionsto|offsetsto)?txn(?:markers)?|txnoffsetcommit|(?:describe|alter)configs)$/i;

/** Whether a value under a secret's name is one. */
export function isSecretValue(value: string): boolean {
  const word = value.trim();
  return !NO_SECRET.test(word) && !KAFKA.test(word) && !FILE.test(word);
}

/** Names of keys that are no secrets, and yet long numbers. */
const OPEN_KEY = /(?:public|pub|cache|object|primary|partition|hash|map|host|sort|index|foreign|row)keys?$/;

/** Whether a value is one although its name alone tells little: a key of many digits, or a name and a password together. */
export function isSecretField(name: string, value: string): boolean {
  if (/keys?$/i.test(name))
    return /^(?:0x)?[0-9a-f]{32,}$/i.test(value) && !OPEN_KEY.test(name.toLowerCase().replace(/[^a-z]/g, ''));
  if (/^community$/i.test(name)) return isMixed(value) && !/^(?:0x|[\d:]+$)/.test(value);
  return /^_?auth$/.test(name) && /^[A-Za-z0-9+/]{6,}={0,2}$/.test(value) && isNameAndPassword(value);
}

/** Whether base64 holds what basic authentication sends. */
function isNameAndPassword(base64: string): boolean {
  return /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(base64, 'base64').toString('latin1'));
}
