// Made by scripts/generate-hubble-proto.ts from schemas/hubble. Do not edit.
// The JSON form of Hubble's messages: names as in the schema, 64-bit numbers and times as text, unset means default.

/** A value of an enum: its name, or its number when this version knows no name for it. */
export type Open<Name extends string> = Name | number;

/** A message of a type that is not known: its URL and its bytes in base64. */
export interface AnyMessage {
  '@type': string;
  [field: string]: unknown;
}

export type Type =
  | 'TYPE_UNKNOWN'
  | 'TYPE_DOUBLE'
  | 'TYPE_FLOAT'
  | 'TYPE_INT64'
  | 'TYPE_UINT64'
  | 'TYPE_INT32'
  | 'TYPE_FIXED64'
  | 'TYPE_FIXED32'
  | 'TYPE_BOOL'
  | 'TYPE_STRING'
  | 'TYPE_GROUP'
  | 'TYPE_MESSAGE'
  | 'TYPE_BYTES'
  | 'TYPE_UINT32'
  | 'TYPE_ENUM'
  | 'TYPE_SFIXED32'
  | 'TYPE_SFIXED64'
  | 'TYPE_SINT32'
  | 'TYPE_SINT64';

export type Label =
  | 'LABEL_UNKNOWN'
  | 'LABEL_OPTIONAL'
  | 'LABEL_REQUIRED'
  | 'LABEL_REPEATED';

export type FlowType =
  | 'UNKNOWN_TYPE'
  | 'L3_L4'
  | 'L7'
  | 'SOCK';

export type AuthType =
  | 'DISABLED'
  | 'SPIRE'
  | 'TEST_ALWAYS_FAIL';

export type TraceObservationPoint =
  | 'UNKNOWN_POINT'
  | 'TO_PROXY'
  | 'TO_HOST'
  | 'TO_STACK'
  | 'TO_OVERLAY'
  | 'TO_ENDPOINT'
  | 'FROM_ENDPOINT'
  | 'FROM_PROXY'
  | 'FROM_HOST'
  | 'FROM_STACK'
  | 'FROM_OVERLAY'
  | 'FROM_NETWORK'
  | 'TO_NETWORK'
  | 'FROM_CRYPTO'
  | 'TO_CRYPTO';

export type TraceReason =
  | 'TRACE_REASON_UNKNOWN'
  | 'NEW'
  | 'ESTABLISHED'
  | 'REPLY'
  | 'RELATED'
  | 'REOPENED'
  | 'SRV6_ENCAP'
  | 'SRV6_DECAP'
  | 'ENCRYPT_OVERLAY';

export type L7FlowType =
  | 'UNKNOWN_L7_TYPE'
  | 'REQUEST'
  | 'RESPONSE'
  | 'SAMPLE';

export type SCTPChunkType =
  | 'UNSUPPORTED'
  | 'INIT'
  | 'INIT_ACK'
  | 'SHUTDOWN'
  | 'SHUTDOWN_ACK'
  | 'SHUTDOWN_COMPLETE'
  | 'ABORT';

export type IPVersion =
  | 'IP_NOT_USED'
  | 'IPv4'
  | 'IPv6';

export type Protocol =
  | 'UNKNOWN'
  | 'VXLAN'
  | 'GENEVE';

export type Verdict =
  | 'VERDICT_UNKNOWN'
  | 'FORWARDED'
  | 'DROPPED'
  | 'ERROR'
  | 'AUDIT'
  | 'REDIRECTED'
  | 'TRACED'
  | 'TRANSLATED';

export type DropReason =
  | 'DROP_REASON_UNKNOWN'
  | 'INVALID_SOURCE_MAC'
  | 'INVALID_DESTINATION_MAC'
  | 'INVALID_SOURCE_IP'
  | 'POLICY_DENIED'
  | 'INVALID_PACKET_DROPPED'
  | 'CT_TRUNCATED_OR_INVALID_HEADER'
  | 'CT_MISSING_TCP_ACK_FLAG'
  | 'CT_UNKNOWN_L4_PROTOCOL'
  | 'CT_CANNOT_CREATE_ENTRY_FROM_PACKET'
  | 'UNSUPPORTED_L3_PROTOCOL'
  | 'MISSED_TAIL_CALL'
  | 'ERROR_WRITING_TO_PACKET'
  | 'UNKNOWN_L4_PROTOCOL'
  | 'UNKNOWN_ICMPV4_CODE'
  | 'UNKNOWN_ICMPV4_TYPE'
  | 'UNKNOWN_ICMPV6_CODE'
  | 'UNKNOWN_ICMPV6_TYPE'
  | 'ERROR_RETRIEVING_TUNNEL_KEY'
  | 'ERROR_RETRIEVING_TUNNEL_OPTIONS'
  | 'INVALID_GENEVE_OPTION'
  | 'UNKNOWN_L3_TARGET_ADDRESS'
  | 'STALE_OR_UNROUTABLE_IP'
  | 'NO_MATCHING_LOCAL_CONTAINER_FOUND'
  | 'ERROR_WHILE_CORRECTING_L3_CHECKSUM'
  | 'ERROR_WHILE_CORRECTING_L4_CHECKSUM'
  | 'CT_MAP_INSERTION_FAILED'
  | 'INVALID_IPV6_EXTENSION_HEADER'
  | 'IP_FRAGMENTATION_NOT_SUPPORTED'
  | 'SERVICE_BACKEND_NOT_FOUND'
  | 'NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT'
  | 'FAILED_TO_INSERT_INTO_PROXYMAP'
  | 'REACHED_EDT_RATE_LIMITING_DROP_HORIZON'
  | 'UNKNOWN_CONNECTION_TRACKING_STATE'
  | 'LOCAL_HOST_IS_UNREACHABLE'
  | 'NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION'
  | 'UNSUPPORTED_L2_PROTOCOL'
  | 'NO_MAPPING_FOR_NAT_MASQUERADE'
  | 'UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE'
  | 'FIB_LOOKUP_FAILED'
  | 'ENCAPSULATION_TRAFFIC_IS_PROHIBITED'
  | 'INVALID_IDENTITY'
  | 'UNKNOWN_SENDER'
  | 'NAT_NOT_NEEDED'
  | 'IS_A_CLUSTERIP'
  | 'FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND'
  | 'FORBIDDEN_ICMPV6_MESSAGE'
  | 'DENIED_BY_LB_SRC_RANGE_CHECK'
  | 'SOCKET_LOOKUP_FAILED'
  | 'SOCKET_ASSIGN_FAILED'
  | 'PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL'
  | 'POLICY_DENY'
  | 'VLAN_FILTERED'
  | 'INVALID_VNI'
  | 'INVALID_TC_BUFFER'
  | 'NO_SID'
  | 'MISSING_SRV6_STATE'
  | 'NAT46'
  | 'NAT64'
  | 'AUTH_REQUIRED'
  | 'CT_NO_MAP_FOUND'
  | 'SNAT_NO_MAP_FOUND'
  | 'INVALID_CLUSTER_ID'
  | 'UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP'
  | 'NO_EGRESS_GATEWAY'
  | 'UNENCRYPTED_TRAFFIC'
  | 'TTL_EXCEEDED'
  | 'NO_NODE_ID'
  | 'DROP_RATE_LIMITED'
  | 'IGMP_HANDLED'
  | 'IGMP_SUBSCRIBED'
  | 'MULTICAST_HANDLED'
  | 'DROP_HOST_NOT_READY'
  | 'DROP_EP_NOT_READY'
  | 'DROP_NO_EGRESS_IP'
  | 'DROP_PUNT_PROXY'
  | 'DROP_FRAG_NOT_FOUND_WORLD';

export type TrafficDirection =
  | 'TRAFFIC_DIRECTION_UNKNOWN'
  | 'INGRESS'
  | 'EGRESS';

export type DebugCapturePoint =
  | 'DBG_CAPTURE_POINT_UNKNOWN'
  | 'DBG_CAPTURE_DELIVERY'
  | 'DBG_CAPTURE_FROM_LB'
  | 'DBG_CAPTURE_AFTER_V46'
  | 'DBG_CAPTURE_AFTER_V64'
  | 'DBG_CAPTURE_PROXY_PRE'
  | 'DBG_CAPTURE_PROXY_POST'
  | 'DBG_CAPTURE_SNAT_PRE'
  | 'DBG_CAPTURE_SNAT_POST';

export type EventType =
  | 'UNKNOWN'
  | 'EventSample'
  | 'RecordLost';

export type LostEventSource =
  | 'UNKNOWN_LOST_EVENT_SOURCE'
  | 'PERF_EVENT_RING_BUFFER'
  | 'OBSERVER_EVENTS_QUEUE'
  | 'HUBBLE_RING_BUFFER';

export type AgentEventType =
  | 'AGENT_EVENT_UNKNOWN'
  | 'AGENT_STARTED'
  | 'POLICY_UPDATED'
  | 'POLICY_DELETED'
  | 'ENDPOINT_REGENERATE_SUCCESS'
  | 'ENDPOINT_REGENERATE_FAILURE'
  | 'ENDPOINT_CREATED'
  | 'ENDPOINT_DELETED'
  | 'IPCACHE_UPSERTED'
  | 'IPCACHE_DELETED'
  | 'SERVICE_UPSERTED'
  | 'SERVICE_DELETED';

export type SocketTranslationPoint =
  | 'SOCK_XLATE_POINT_UNKNOWN'
  | 'SOCK_XLATE_POINT_PRE_DIRECTION_FWD'
  | 'SOCK_XLATE_POINT_POST_DIRECTION_FWD'
  | 'SOCK_XLATE_POINT_PRE_DIRECTION_REV'
  | 'SOCK_XLATE_POINT_POST_DIRECTION_REV';

export type DebugEventType =
  | 'DBG_EVENT_UNKNOWN'
  | 'DBG_GENERIC'
  | 'DBG_LOCAL_DELIVERY'
  | 'DBG_ENCAP'
  | 'DBG_LXC_FOUND'
  | 'DBG_POLICY_DENIED'
  | 'DBG_CT_LOOKUP'
  | 'DBG_CT_LOOKUP_REV'
  | 'DBG_CT_MATCH'
  | 'DBG_CT_CREATED'
  | 'DBG_CT_CREATED2'
  | 'DBG_ICMP6_HANDLE'
  | 'DBG_ICMP6_REQUEST'
  | 'DBG_ICMP6_NS'
  | 'DBG_ICMP6_TIME_EXCEEDED'
  | 'DBG_CT_VERDICT'
  | 'DBG_DECAP'
  | 'DBG_PORT_MAP'
  | 'DBG_ERROR_RET'
  | 'DBG_TO_HOST'
  | 'DBG_TO_STACK'
  | 'DBG_PKT_HASH'
  | 'DBG_LB6_LOOKUP_FRONTEND'
  | 'DBG_LB6_LOOKUP_FRONTEND_FAIL'
  | 'DBG_LB6_LOOKUP_BACKEND_SLOT'
  | 'DBG_LB6_LOOKUP_BACKEND_SLOT_SUCCESS'
  | 'DBG_LB6_LOOKUP_BACKEND_SLOT_V2_FAIL'
  | 'DBG_LB6_LOOKUP_BACKEND_FAIL'
  | 'DBG_LB6_REVERSE_NAT_LOOKUP'
  | 'DBG_LB6_REVERSE_NAT'
  | 'DBG_LB4_LOOKUP_FRONTEND'
  | 'DBG_LB4_LOOKUP_FRONTEND_FAIL'
  | 'DBG_LB4_LOOKUP_BACKEND_SLOT'
  | 'DBG_LB4_LOOKUP_BACKEND_SLOT_SUCCESS'
  | 'DBG_LB4_LOOKUP_BACKEND_SLOT_V2_FAIL'
  | 'DBG_LB4_LOOKUP_BACKEND_FAIL'
  | 'DBG_LB4_REVERSE_NAT_LOOKUP'
  | 'DBG_LB4_REVERSE_NAT'
  | 'DBG_LB4_LOOPBACK_SNAT'
  | 'DBG_LB4_LOOPBACK_SNAT_REV'
  | 'DBG_CT_LOOKUP4'
  | 'DBG_RR_BACKEND_SLOT_SEL'
  | 'DBG_REV_PROXY_LOOKUP'
  | 'DBG_REV_PROXY_FOUND'
  | 'DBG_REV_PROXY_UPDATE'
  | 'DBG_L4_POLICY'
  | 'DBG_NETDEV_IN_CLUSTER'
  | 'DBG_NETDEV_ENCAP4'
  | 'DBG_CT_LOOKUP4_1'
  | 'DBG_CT_LOOKUP4_2'
  | 'DBG_CT_CREATED4'
  | 'DBG_CT_LOOKUP6_1'
  | 'DBG_CT_LOOKUP6_2'
  | 'DBG_CT_CREATED6'
  | 'DBG_SKIP_PROXY'
  | 'DBG_L4_CREATE'
  | 'DBG_IP_ID_MAP_FAILED4'
  | 'DBG_IP_ID_MAP_FAILED6'
  | 'DBG_IP_ID_MAP_SUCCEED4'
  | 'DBG_IP_ID_MAP_SUCCEED6'
  | 'DBG_LB_STALE_CT'
  | 'DBG_INHERIT_IDENTITY'
  | 'DBG_SK_LOOKUP4'
  | 'DBG_SK_LOOKUP6'
  | 'DBG_SK_ASSIGN'
  | 'DBG_L7_LB'
  | 'DBG_SKIP_POLICY'
  | 'DBG_LB6_LOOPBACK_SNAT'
  | 'DBG_LB6_LOOPBACK_SNAT_REV';

export type ServingStatus =
  | 'UNKNOWN'
  | 'SERVING'
  | 'NOT_SERVING'
  | 'SERVICE_UNKNOWN';

export type ChangeNotificationType =
  | 'UNKNOWN'
  | 'PEER_ADDED'
  | 'PEER_DELETED'
  | 'PEER_UPDATED';

export type NodeState =
  | 'UNKNOWN_NODE_STATE'
  | 'NODE_CONNECTED'
  | 'NODE_UNAVAILABLE'
  | 'NODE_GONE'
  | 'NODE_ERROR';

export interface FileDescriptorProto {
  name?: string;
  package?: string;
  dependency?: string[];
  public_dependency?: number[];
  weak_dependency?: number[];
  message_type?: DescriptorProto[];
  enum_type?: EnumDescriptorProto[];
  service?: ServiceDescriptorProto[];
  syntax?: string;
}

export interface DescriptorProto {
  name?: string;
  field?: FieldDescriptorProto[];
  nested_type?: DescriptorProto[];
  enum_type?: EnumDescriptorProto[];
  oneof_decl?: OneofDescriptorProto[];
  reserved_range?: ReservedRange[];
  reserved_name?: string[];
}

export interface ReservedRange {
  start?: number;
  end?: number;
}

export interface FieldDescriptorProto {
  name?: string;
  number?: number;
  label?: Open<Label>;
  type?: Open<Type>;
  type_name?: string;
  oneof_index?: number;
  json_name?: string;
}

export interface OneofDescriptorProto {
  name?: string;
}

export interface EnumDescriptorProto {
  name?: string;
  value?: EnumValueDescriptorProto[];
}

export interface EnumValueDescriptorProto {
  name?: string;
  number?: number;
}

export interface ServiceDescriptorProto {
  name?: string;
  method?: MethodDescriptorProto[];
}

export interface MethodDescriptorProto {
  name?: string;
  input_type?: string;
  output_type?: string;
  client_streaming?: boolean;
  server_streaming?: boolean;
}

export interface Flow {
  time?: string;
  uuid?: string;
  emitter?: Emitter;
  verdict?: Open<Verdict>;
  drop_reason?: number;
  auth_type?: Open<AuthType>;
  ethernet?: Ethernet;
  IP?: IP;
  l4?: Layer4;
  tunnel?: Tunnel;
  source?: Endpoint;
  destination?: Endpoint;
  Type?: Open<FlowType>;
  node_name?: string;
  node_labels?: string[];
  source_names?: string[];
  destination_names?: string[];
  l7?: Layer7;
  reply?: boolean;
  event_type?: CiliumEventType;
  source_service?: Service;
  destination_service?: Service;
  traffic_direction?: Open<TrafficDirection>;
  policy_match_type?: number;
  trace_observation_point?: Open<TraceObservationPoint>;
  trace_reason?: Open<TraceReason>;
  file?: FileInfo;
  ip_trace_id?: IPTraceID;
  drop_reason_desc?: Open<DropReason>;
  is_reply?: boolean;
  debug_capture_point?: Open<DebugCapturePoint>;
  interface?: NetworkInterface;
  proxy_port?: number;
  trace_context?: TraceContext;
  sock_xlate_point?: Open<SocketTranslationPoint>;
  socket_cookie?: string;
  cgroup_id?: string;
  Summary?: string;
  extensions?: AnyMessage;
  egress_allowed_by?: Policy[];
  ingress_allowed_by?: Policy[];
  egress_denied_by?: Policy[];
  ingress_denied_by?: Policy[];
  policy_log?: string[];
  aggregate?: Aggregate;
}

export interface Emitter {
  name?: string;
  version?: string;
}

export interface FileInfo {
  name?: string;
  line?: number;
}

export interface Layer4 {
  TCP?: TCP;
  UDP?: UDP;
  ICMPv4?: ICMPv4;
  ICMPv6?: ICMPv6;
  SCTP?: SCTP;
  VRRP?: VRRP;
  IGMP?: IGMP;
}

export interface Layer7 {
  type?: Open<L7FlowType>;
  latency_ns?: string;
  dns?: DNS;
  http?: HTTP;
  kafka?: Kafka;
}

export interface TraceContext {
  parent?: TraceParent;
}

export interface TraceParent {
  trace_id?: string;
}

export interface Endpoint {
  ID?: number;
  identity?: number;
  cluster_name?: string;
  namespace?: string;
  labels?: string[];
  pod_name?: string;
  workloads?: Workload[];
}

export interface Workload {
  name?: string;
  kind?: string;
}

export interface TCP {
  source_port?: number;
  destination_port?: number;
  flags?: TCPFlags;
}

export interface IP {
  source?: string;
  source_xlated?: string;
  destination?: string;
  ipVersion?: Open<IPVersion>;
  encrypted?: boolean;
}

export interface Ethernet {
  source?: string;
  destination?: string;
}

export interface TCPFlags {
  FIN?: boolean;
  SYN?: boolean;
  RST?: boolean;
  PSH?: boolean;
  ACK?: boolean;
  URG?: boolean;
  ECE?: boolean;
  CWR?: boolean;
  NS?: boolean;
}

export interface UDP {
  source_port?: number;
  destination_port?: number;
}

export interface SCTP {
  source_port?: number;
  destination_port?: number;
  chunk_type?: Open<SCTPChunkType>;
}

export interface ICMPv4 {
  type?: number;
  code?: number;
}

export interface ICMPv6 {
  type?: number;
  code?: number;
}

export interface VRRP {
  type?: number;
  vrid?: number;
  priority?: number;
}

export interface IGMP {
  type?: number;
  group_address?: string;
}

export interface Tunnel {
  protocol?: Open<Protocol>;
  IP?: IP;
  l4?: Layer4;
  vni?: number;
}

export interface Policy {
  name?: string;
  namespace?: string;
  labels?: string[];
  revision?: string;
  kind?: string;
}

export interface EventTypeFilter {
  type?: number;
  match_sub_type?: boolean;
  sub_type?: number;
}

export interface CiliumEventType {
  type?: number;
  sub_type?: number;
}

export interface FlowFilter {
  uuid?: string[];
  source_ip?: string[];
  source_ip_xlated?: string[];
  source_pod?: string[];
  source_fqdn?: string[];
  source_label?: string[];
  source_service?: string[];
  source_workload?: Workload[];
  source_cluster_name?: string[];
  destination_ip?: string[];
  destination_pod?: string[];
  destination_fqdn?: string[];
  destination_label?: string[];
  destination_service?: string[];
  destination_workload?: Workload[];
  destination_cluster_name?: string[];
  traffic_direction?: Open<TrafficDirection>[];
  verdict?: Open<Verdict>[];
  drop_reason_desc?: Open<DropReason>[];
  interface?: NetworkInterface[];
  event_type?: EventTypeFilter[];
  http_status_code?: string[];
  protocol?: string[];
  source_port?: string[];
  destination_port?: string[];
  reply?: boolean[];
  dns_query?: string[];
  source_identity?: number[];
  destination_identity?: number[];
  http_method?: string[];
  http_path?: string[];
  http_url?: string[];
  http_header?: HTTPHeader[];
  tcp_flags?: TCPFlags[];
  node_name?: string[];
  node_labels?: string[];
  ip_version?: Open<IPVersion>[];
  trace_id?: string[];
  ip_trace_id?: string[];
  encrypted?: boolean[];
  experimental?: FlowFilterExperimental;
}

export interface FlowFilterExperimental {
  cel_expression?: string[];
}

export interface DNS {
  query?: string;
  ips?: string[];
  ttl?: number;
  cnames?: string[];
  observation_source?: string;
  rcode?: number;
  qtypes?: string[];
  rrtypes?: string[];
}

export interface HTTPHeader {
  key?: string;
  value?: string;
}

export interface HTTP {
  code?: number;
  method?: string;
  url?: string;
  protocol?: string;
  headers?: HTTPHeader[];
}

export interface Kafka {
  error_code?: number;
  api_version?: number;
  api_key?: string;
  correlation_id?: number;
  topic?: string;
}

export interface Service {
  name?: string;
  namespace?: string;
}

export interface IPTraceID {
  trace_id?: string;
  ip_option_type?: number;
}

export interface LostEvent {
  source?: Open<LostEventSource>;
  num_events_lost?: string;
  cpu?: number;
  first?: string;
  last?: string;
}

export interface AgentEvent {
  type?: Open<AgentEventType>;
  unknown?: AgentEventUnknown;
  agent_start?: TimeNotification;
  policy_update?: PolicyUpdateNotification;
  endpoint_regenerate?: EndpointRegenNotification;
  endpoint_update?: EndpointUpdateNotification;
  ipcache_update?: IPCacheNotification;
  service_upsert?: ServiceUpsertNotification;
  service_delete?: ServiceDeleteNotification;
}

export interface AgentEventUnknown {
  type?: string;
  notification?: string;
}

export interface TimeNotification {
  time?: string;
}

export interface PolicyUpdateNotification {
  labels?: string[];
  revision?: string;
  rule_count?: string;
}

export interface EndpointRegenNotification {
  id?: string;
  labels?: string[];
  error?: string;
}

export interface EndpointUpdateNotification {
  id?: string;
  labels?: string[];
  error?: string;
  pod_name?: string;
  namespace?: string;
}

export interface IPCacheNotification {
  cidr?: string;
  identity?: number;
  old_identity?: number;
  host_ip?: string;
  old_host_ip?: string;
  encrypt_key?: number;
  namespace?: string;
  pod_name?: string;
}

export interface ServiceUpsertNotificationAddr {
  ip?: string;
  port?: number;
}

export interface ServiceUpsertNotification {
  id?: number;
  frontend_address?: ServiceUpsertNotificationAddr;
  backend_addresses?: ServiceUpsertNotificationAddr[];
  type?: string;
  traffic_policy?: string;
  name?: string;
  namespace?: string;
  ext_traffic_policy?: string;
  int_traffic_policy?: string;
}

export interface ServiceDeleteNotification {
  id?: number;
}

export interface NetworkInterface {
  index?: number;
  name?: string;
}

export interface DebugEvent {
  type?: Open<DebugEventType>;
  source?: Endpoint;
  hash?: number;
  arg1?: number;
  arg2?: number;
  arg3?: number;
  message?: string;
  cpu?: number;
}

export interface Aggregate {
  ingress_flow_count?: number;
  egress_flow_count?: number;
  unknown_direction_flow_count?: number;
}

export interface HealthCheckRequest {
  service?: string;
}

export interface HealthCheckResponse {
  status?: Open<ServingStatus>;
}

export type ServerStatusRequest = Record<string, never>;

export interface ServerStatusResponse {
  num_flows?: string;
  max_flows?: string;
  seen_flows?: string;
  uptime_ns?: string;
  num_connected_nodes?: number;
  num_unavailable_nodes?: number;
  unavailable_nodes?: string[];
  version?: string;
  flows_rate?: number;
}

export interface GetFlowsRequest {
  number?: string;
  first?: boolean;
  follow?: boolean;
  blacklist?: FlowFilter[];
  whitelist?: FlowFilter[];
  since?: string;
  until?: string;
  field_mask?: string;
  experimental?: GetFlowsRequestExperimental;
  extensions?: AnyMessage;
}

export type GetFlowsRequestExperimental = Record<string, never>;

export interface GetFlowsResponse {
  flow?: Flow;
  node_status?: NodeStatusEvent;
  lost_events?: LostEvent;
  node_name?: string;
  time?: string;
}

export interface GetAgentEventsRequest {
  number?: string;
  first?: boolean;
  follow?: boolean;
  since?: string;
  until?: string;
}

export interface GetAgentEventsResponse {
  agent_event?: AgentEvent;
  node_name?: string;
  time?: string;
}

export interface GetDebugEventsRequest {
  number?: string;
  first?: boolean;
  follow?: boolean;
  since?: string;
  until?: string;
}

export interface GetDebugEventsResponse {
  debug_event?: DebugEvent;
  node_name?: string;
  time?: string;
}

export type GetNodesRequest = Record<string, never>;

export interface GetNodesResponse {
  nodes?: Node[];
}

export interface Node {
  name?: string;
  version?: string;
  address?: string;
  state?: Open<NodeState>;
  tls?: ObserverTLS;
  uptime_ns?: string;
  num_flows?: string;
  max_flows?: string;
  seen_flows?: string;
}

export interface ObserverTLS {
  enabled?: boolean;
  server_name?: string;
}

export type GetNamespacesRequest = Record<string, never>;

export interface GetNamespacesResponse {
  namespaces?: Namespace[];
}

export interface Namespace {
  cluster?: string;
  namespace?: string;
}

export interface ExportEvent {
  flow?: Flow;
  node_status?: NodeStatusEvent;
  lost_events?: LostEvent;
  agent_event?: AgentEvent;
  debug_event?: DebugEvent;
  node_name?: string;
  time?: string;
}

export type NotifyRequest = Record<string, never>;

export interface ChangeNotification {
  name?: string;
  address?: string;
  type?: Open<ChangeNotificationType>;
  tls?: PeerTLS;
}

export interface PeerTLS {
  server_name?: string;
}

export interface ServerReflectionRequest {
  host?: string;
  file_by_filename?: string;
  file_containing_symbol?: string;
  file_containing_extension?: ExtensionRequest;
  all_extension_numbers_of_type?: string;
  list_services?: string;
}

export interface ExtensionRequest {
  containing_type?: string;
  extension_number?: number;
}

export interface ServerReflectionResponse {
  valid_host?: string;
  original_request?: ServerReflectionRequest;
  file_descriptor_response?: FileDescriptorResponse;
  all_extension_numbers_response?: ExtensionNumberResponse;
  list_services_response?: ListServiceResponse;
  error_response?: ErrorResponse;
}

export interface FileDescriptorResponse {
  file_descriptor_proto?: string[];
}

export interface ExtensionNumberResponse {
  base_type_name?: string;
  extension_number?: number[];
}

export interface ListServiceResponse {
  service?: ServiceResponse[];
}

export interface ServiceResponse {
  name?: string;
}

export interface ErrorResponse {
  error_code?: number;
  error_message?: string;
}

export interface NodeStatusEvent {
  state_change?: Open<NodeState>;
  node_names?: string[];
  message?: string;
}

/** Every message by its full name. */
export interface Messages {
  'google.protobuf.FileDescriptorProto': FileDescriptorProto;
  'google.protobuf.DescriptorProto': DescriptorProto;
  'google.protobuf.DescriptorProto.ReservedRange': ReservedRange;
  'google.protobuf.FieldDescriptorProto': FieldDescriptorProto;
  'google.protobuf.OneofDescriptorProto': OneofDescriptorProto;
  'google.protobuf.EnumDescriptorProto': EnumDescriptorProto;
  'google.protobuf.EnumValueDescriptorProto': EnumValueDescriptorProto;
  'google.protobuf.ServiceDescriptorProto': ServiceDescriptorProto;
  'google.protobuf.MethodDescriptorProto': MethodDescriptorProto;
  'flow.Flow': Flow;
  'flow.Emitter': Emitter;
  'flow.FileInfo': FileInfo;
  'flow.Layer4': Layer4;
  'flow.Layer7': Layer7;
  'flow.TraceContext': TraceContext;
  'flow.TraceParent': TraceParent;
  'flow.Endpoint': Endpoint;
  'flow.Workload': Workload;
  'flow.TCP': TCP;
  'flow.IP': IP;
  'flow.Ethernet': Ethernet;
  'flow.TCPFlags': TCPFlags;
  'flow.UDP': UDP;
  'flow.SCTP': SCTP;
  'flow.ICMPv4': ICMPv4;
  'flow.ICMPv6': ICMPv6;
  'flow.VRRP': VRRP;
  'flow.IGMP': IGMP;
  'flow.Tunnel': Tunnel;
  'flow.Policy': Policy;
  'flow.EventTypeFilter': EventTypeFilter;
  'flow.CiliumEventType': CiliumEventType;
  'flow.FlowFilter': FlowFilter;
  'flow.FlowFilter.Experimental': FlowFilterExperimental;
  'flow.DNS': DNS;
  'flow.HTTPHeader': HTTPHeader;
  'flow.HTTP': HTTP;
  'flow.Kafka': Kafka;
  'flow.Service': Service;
  'flow.IPTraceID': IPTraceID;
  'flow.LostEvent': LostEvent;
  'flow.AgentEvent': AgentEvent;
  'flow.AgentEventUnknown': AgentEventUnknown;
  'flow.TimeNotification': TimeNotification;
  'flow.PolicyUpdateNotification': PolicyUpdateNotification;
  'flow.EndpointRegenNotification': EndpointRegenNotification;
  'flow.EndpointUpdateNotification': EndpointUpdateNotification;
  'flow.IPCacheNotification': IPCacheNotification;
  'flow.ServiceUpsertNotificationAddr': ServiceUpsertNotificationAddr;
  'flow.ServiceUpsertNotification': ServiceUpsertNotification;
  'flow.ServiceDeleteNotification': ServiceDeleteNotification;
  'flow.NetworkInterface': NetworkInterface;
  'flow.DebugEvent': DebugEvent;
  'flow.Aggregate': Aggregate;
  'grpc.health.v1.HealthCheckRequest': HealthCheckRequest;
  'grpc.health.v1.HealthCheckResponse': HealthCheckResponse;
  'observer.ServerStatusRequest': ServerStatusRequest;
  'observer.ServerStatusResponse': ServerStatusResponse;
  'observer.GetFlowsRequest': GetFlowsRequest;
  'observer.GetFlowsRequest.Experimental': GetFlowsRequestExperimental;
  'observer.GetFlowsResponse': GetFlowsResponse;
  'observer.GetAgentEventsRequest': GetAgentEventsRequest;
  'observer.GetAgentEventsResponse': GetAgentEventsResponse;
  'observer.GetDebugEventsRequest': GetDebugEventsRequest;
  'observer.GetDebugEventsResponse': GetDebugEventsResponse;
  'observer.GetNodesRequest': GetNodesRequest;
  'observer.GetNodesResponse': GetNodesResponse;
  'observer.Node': Node;
  'observer.TLS': ObserverTLS;
  'observer.GetNamespacesRequest': GetNamespacesRequest;
  'observer.GetNamespacesResponse': GetNamespacesResponse;
  'observer.Namespace': Namespace;
  'observer.ExportEvent': ExportEvent;
  'peer.NotifyRequest': NotifyRequest;
  'peer.ChangeNotification': ChangeNotification;
  'peer.TLS': PeerTLS;
  'grpc.reflection.v1alpha.ServerReflectionRequest': ServerReflectionRequest;
  'grpc.reflection.v1alpha.ExtensionRequest': ExtensionRequest;
  'grpc.reflection.v1alpha.ServerReflectionResponse': ServerReflectionResponse;
  'grpc.reflection.v1alpha.FileDescriptorResponse': FileDescriptorResponse;
  'grpc.reflection.v1alpha.ExtensionNumberResponse': ExtensionNumberResponse;
  'grpc.reflection.v1alpha.ListServiceResponse': ListServiceResponse;
  'grpc.reflection.v1alpha.ServiceResponse': ServiceResponse;
  'grpc.reflection.v1alpha.ErrorResponse': ErrorResponse;
  'relay.NodeStatusEvent': NodeStatusEvent;
}
