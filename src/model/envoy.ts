/** Envoy's names of the resources in its configuration, by the words of the command line. */
export const ENVOY_RESOURCES: Readonly<Record<string, string>> = {
  all: '',
  clusters: 'dynamic_active_clusters',
  endpoints: 'dynamic_endpoint_configs',
  listeners: 'dynamic_listeners',
  networkpolicies: 'networkpolicies',
  routes: 'dynamic_route_configs',
  secrets: 'dynamic_active_secrets',
};

/** Envoy's log levels. */
export const ENVOY_LEVELS: readonly string[] = [
  'trace',
  'debug',
  'info',
  'warning',
  'error',
  'critical',
  'off',
];
