/** Histograms of how often a port had to be tried anew, IPv4 and IPv6. */
export const RETRIES = ['cilium_snat_v4_alloc_retries', 'cilium_snat_v6_alloc_retries'] as const;
