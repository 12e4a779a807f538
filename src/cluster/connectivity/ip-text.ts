/** Whether the text of an address is one of IPv6. */
export function isIpv6(ip: string): boolean {
  return ip.includes(':');
}
