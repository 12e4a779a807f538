import { UserError } from '../../errors.ts';
import { contains, parseAddress, parsePrefix } from '../../lib/address.ts';

/** Addresses outside the cluster: the policies of the tests allow all of `cidr` but `otherIp`, or deny all of it but `ip`. */
export interface ExternalAddresses {
  cidr: string;
  ip: string;
  otherIp: string;
}

/** What outside the cluster may be reached by the tests. Nothing of it is there unless it was named. */
export interface External {
  /** A name that answers HTTP and HTTPS. */
  name?: string;
  /** A second one, that policies for the first leave out. */
  otherName?: string;
  4?: ExternalAddresses;
  6?: ExternalAddresses;
}

/** The flags that name it. */
export interface ExternalOptions {
  externalTarget?: string;
  externalOtherTarget?: string;
  externalCidr?: string;
  externalIp?: string;
  externalOtherIp?: string;
  externalCidrv6?: string;
  externalIpv6?: string;
  externalOtherIpv6?: string;
}

/** What the flags name. Throws UserError where they do not go together. */
export function externalOf(options: ExternalOptions): External {
  const { externalTarget: name, externalOtherTarget: otherName } = options;
  if (otherName !== undefined && name === undefined)
    throw new UserError('--external-other-target needs --external-target, the name that policies allow');
  const v4 = addressesOf(4, 'external-cidr', 'external-ip', 'external-other-ip', options);
  const v6 = addressesOf(6, 'external-cidrv6', 'external-ipv6', 'external-other-ipv6', options);
  return {
    ...(name !== undefined && { name }),
    ...(otherName !== undefined && { otherName }),
    ...(v4 && { 4: v4 }),
    ...(v6 && { 6: v6 }),
  };
}

function addressesOf(
  family: 4 | 6,
  cidrFlag: string,
  ipFlag: string,
  otherFlag: string,
  options: ExternalOptions,
): ExternalAddresses | undefined {
  const flags = [cidrFlag, ipFlag, otherFlag];
  const values = flags.map((flag) => options[camel(flag) as keyof ExternalOptions]);
  const [cidr, ip, otherIp] = values;
  if (values.every((value) => value === undefined)) return undefined;
  const missing = flags.filter((_, at) => values[at] === undefined);
  if (cidr === undefined || ip === undefined || otherIp === undefined)
    throw new UserError(`--${missing.join(' and --')} missing: --${flags.join(', --')} go together`, {
      hint: 'A range outside the cluster, and two addresses in it that answer HTTPS.',
    });
  const range = parsePrefix(cidr);
  if (range?.family !== family || !cidr.includes('/'))
    throw new UserError(`--${cidrFlag} ${cidr}: expected a range of IPv${family} addresses`);
  for (const [flag, text] of [
    [ipFlag, ip],
    [otherFlag, otherIp],
  ] as const) {
    const address = parseAddress(text);
    if (address?.family !== family)
      throw new UserError(`--${flag} ${text}: expected an IPv${family} address`);
    if (!contains(range, address)) throw new UserError(`--${flag} ${text} is not in --${cidrFlag} ${cidr}`);
  }
  if (ip === otherIp) throw new UserError(`--${ipFlag} and --${otherFlag} are the same address: ${ip}`);
  return { cidr, ip, otherIp };
}

function camel(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What stands for the places in policies. */
export function externalFilling(external: External): Record<string, string> {
  const { name, otherName } = external;
  const patterns = sniPatterns(external);
  return {
    ...(name !== undefined && { 'external-name': bare(name) }),
    ...(otherName !== undefined && { 'external-other-name': bare(otherName) }),
    ...(patterns && {
      'sni-wildcard': patterns.first,
      'sni-random-wildcard': patterns.inner,
      'sni-double-wildcard': patterns.many,
    }),
    ...(external[4] && placesOf(external[4], '')),
    ...(external[6] && placesOf(external[6], 'v6')),
  };
}

function placesOf({ cidr, ip, otherIp }: ExternalAddresses, suffix: string): Record<string, string> {
  return {
    [`external-cidr${suffix}`]: cidr,
    [`external-ip${suffix}`]: ip,
    [`external-other-ip${suffix}`]: otherIp,
  };
}

/** Patterns that match the name and not the other one; undefined where the two are too alike, or too short. */
export function sniPatterns({
  name,
  otherName,
}: External): { first: string; inner: string; many: string } | undefined {
  if (name === undefined || otherName === undefined) return undefined;
  const labels = bare(name).split('.');
  const others = bare(otherName).split('.');
  const [head = ''] = labels;
  const tail = labels.slice(-2);
  if (labels.length < 3 || others.slice(-2).join('.') === tail.join('.')) return undefined;
  return {
    first: ['*', ...labels.slice(1)].join('.'),
    inner: [head, '*', ...labels.slice(2)].join('.'),
    many: ['**', ...tail].join('.'),
  };
}

/** A name as policies have it: without the dot at its end. */
function bare(name: string): string {
  return name.replace(/\.$/, '').toLowerCase();
}
