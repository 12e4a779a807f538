/** What stands in place of a secret. Of word characters alone, so that what follows in the next piece joins it. */
export const REDACTED = 'REDACTED';

/** How the names end that are given to secrets, without what is neither letter nor digit. */
const ENDS =
  /(?:passw(?:or)?d|passphrase|passcode|(?<=^|db|smtp|mail|user|my|sql|redis|ldap|admin|root|bind|auth|http|proxy)pass|pwd|secret|token|(?:api|access|private|secret|encryption|encrypt|signing|shared|sharedaccess|account|preshared|master|auth|ssh|ipsec|licen[cs]e)key|clientkeydata|tlskey|cakey|credentials?|authorization|cookie|psk|connectionstring|dsn|dockerconfigjson|dockercfg|bearer|keymaterial|htpasswd|webhookurl)(?:\d{0,2}|value|data|base64|b64|plain|string)?$/;
/** Names that end like those and say where a secret is, or whether there is one. */
const NAMES_ONE =
  /(?:existing|pull|tls|ca|cert|certificate|bundle|root|kubernetes|use|has|with|require|enable|mount|automountserviceaccount|serviceaccount|no|max|min|next|continue|page)(?:secret|token|credentials?)$|^(?:old)?pwd$/;

/** Whether a secret is what usually stands under a name, in whatever way its words are joined. */
export function isSecretName(name: string): boolean {
  if (/(?:^|[-_.])pass$/i.test(name)) return true;
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return ENDS.test(plain) && !NAMES_ONE.test(plain);
}

/** What stands under such a name and is none: nothing, a switch, a reference, or one that was replaced before. */
const NO_SECRET =
  /^(?:|true|false|yes|no|on|off|null|nil|none|undefined|unset|empty|~|\d{1,3}|<[^>]*>|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_]+|\*+|x{3,}|X{3,}|\.{3}|\[?redacted\]?|\{|\[|\{\}|\[\]|""|''|[|>][-+]?|(?:basic|bearer|digest|negotiate|token)(?:\s+redacted)?)$/i;

/** Kafka calls its requests so, and a policy names them as apiKey. */
const KAFKA =
  /^(?:produce|fetch|offsets|(?:consumer|update)?metadata|leaderandisr|stopreplica|controlledshutdown|offset(?:commit|fetch|forleaderepoch)|findcoordinator|(?:join|leave|sync)group|heartbeat|(?:describe|list|delete)groups|saslhandshake|saslauthenticate|apiversions|(?:create|delete)(?:topics|acls|partitions|records)|initproducerid|(?:add|write|end)(?:partitionsto|offsetsto)?txn(?:markers)?|txnoffsetcommit|(?:describe|alter)configs)$/i;

/** Whether a value under a secret's name is one. */
export function isSecretValue(value: string): boolean {
  const word = value.trim();
  return !NO_SECRET.test(word) && !KAFKA.test(word);
}
