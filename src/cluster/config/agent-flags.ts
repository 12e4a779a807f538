/**
 * Flags of the agent that it also takes as keys and that no chart writes, from its command reference of 1.9 and 1.12. Which
 * later release lost one of them is not known: nothing is said of such a key.
 */
export const AGENT_FLAGS: ReadonlySet<string> = new Set(
  `agent-labels allocator-list-timeout allow-icmp-frag-needed allow-localhost bgp-config-path bpf-ct-timeout-regular-any
  bpf-ct-timeout-regular-tcp bpf-ct-timeout-regular-tcp-fin bpf-ct-timeout-regular-tcp-syn bpf-ct-timeout-service-any
  bpf-ct-timeout-service-tcp bpf-fragments-map-max bpf-lb-dev-ip-addr-inherit bpf-lb-dsr-l4-xlate bpf-lb-rss-ipv4-src-cidr
  bpf-lb-rss-ipv6-src-cidr bpf-sock-rev-map-max certificates-directory cgroup-root clustermesh-config config config-dir
  conntrack-gc-interval crd-wait-timeout datapath-mode disable-iptables-feeder-rules dns-max-ips-per-restored-rule
  dns-policy-unload-on-shutdown egress-masquerade-interfaces enable-health-check-nodeport enable-hubble-recorder-api
  enable-identity-mark enable-ipv4-fragment-tracking enable-ipv6-ndp enable-k8s-api-discovery enable-l2-neigh-discovery
  enable-local-node-route enable-monitor enable-service-topology enable-tracing enable-unreachable-routes
  enable-well-known-identities enable-xdp-prefilter enable-xt-socket-fallback encrypt-node endpoint-queue-size
  envoy-config-timeout envoy-log exclude-local-address fixed-identity-mapping http-idle-timeout http-max-grpc-timeout
  http-request-timeout http-retry-count http-retry-timeout hubble-event-queue-size identity-change-grace-period
  ip-masq-agent-config-path ipsec-key-file iptables-lock-timeout ipv4-node ipv4-pod-subnets ipv4-range
  ipv4-service-loopback-address ipv4-service-range ipv6-cluster-alloc-cidr ipv6-mcast-device ipv6-node ipv6-pod-subnets
  ipv6-range ipv6-service-range k8s-api-server k8s-heartbeat-timeout k8s-kubeconfig-path k8s-namespace
  k8s-service-proxy-name k8s-watcher-endpoint-selector keep-config kvstore-connectivity-timeout kvstore-periodic-sync
  label-prefix-file labels lib-dir log-driver log-opt log-system-load metrics monitor-queue-size mtu node-port-range
  policy-audit-mode policy-queue-size pprof preallocate-bpf-maps prepend-iptables-chains proxy-connect-timeout
  read-cni-conf restore socket-path state-dir trace-payloadlen`.split(/\s+/),
);
