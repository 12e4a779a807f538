const listed = (plural: string, kind: string, namespaced: boolean, apiVersion = 'cilium.io/v2') => ({
  apiVersion,
  plural,
  kind,
  namespaced,
});

/** The kinds of Cilium that verbs list. */
export const LISTED = {
  node: listed('ciliumnodes', 'CiliumNode', false),
  endpoint: listed('ciliumendpoints', 'CiliumEndpoint', true),
  identity: listed('ciliumidentities', 'CiliumIdentity', false),
  redirect: listed('ciliumlocalredirectpolicies', 'CiliumLocalRedirectPolicy', true),
  egressGateway: listed('ciliumegressgatewaypolicies', 'CiliumEgressGatewayPolicy', false),
  pool: listed('ciliumloadbalancerippools', 'CiliumLoadBalancerIPPool', false),
  l2: listed('ciliuml2announcementpolicies', 'CiliumL2AnnouncementPolicy', false, 'cilium.io/v2alpha1'),
  bgpCluster: listed('ciliumbgpclusterconfigs', 'CiliumBGPClusterConfig', false),
  bgpNode: listed('ciliumbgpnodeconfigs', 'CiliumBGPNodeConfig', false),
  bgpPeer: listed('ciliumbgppeerconfigs', 'CiliumBGPPeerConfig', false),
  bgpAdvertisement: listed('ciliumbgpadvertisements', 'CiliumBGPAdvertisement', false),
} as const;
