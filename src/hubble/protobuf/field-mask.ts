import { UserError } from '../../errors.ts';
import { type PathTree, pathTree } from '../../lib/path-tree.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import { fieldAt, type Plain } from './schema.ts';

/** The fields of a flow that the printers for people may read, but for names of addresses. */
const PRINTED: readonly string[] = [
  'time',
  'verdict',
  'ethernet',
  'IP',
  'l4',
  'source.identity',
  'source.namespace',
  'source.pod_name',
  'destination.identity',
  'destination.namespace',
  'destination.pod_name',
  'Type',
  'node_name',
  'l7',
  'event_type',
  'source_service',
  'destination_service',
  'is_reply',
  'Summary',
  'ip_trace_id',
  'traffic_direction',
  'policy_match_type',
  'ingress_allowed_by',
  'ingress_denied_by',
  'egress_allowed_by',
  'egress_denied_by',
  // The reference prints these as well, but leaves them out when it asks.
  'auth_type',
  'debug_capture_point',
  'sock_xlate_point',
];

/** The fields to ask for when nobody names any: those that are printed. Names stand for addresses unless turned off. */
export function defaultFieldMask({ translateIps }: { translateIps: boolean }): readonly string[] {
  return translateIps ? [...PRINTED, 'source_names', 'destination_names'] : PRINTED;
}

/** Refuses paths that a flow has not. */
export function checkFieldMask(paths: readonly string[]): void {
  for (const path of paths) {
    if (fieldAt('flow.Flow', path) === undefined)
      throw new UserError(
        `failed to construct field mask: proto: invalid path ${JSON.stringify(path)} for message "flow.Flow"`,
        { hint: 'Paths are written as in -o json, for example source.pod_name,verdict,IP.' },
      );
  }
}

/** Makes the function that keeps of a flow what the paths name, as a server does before it sends. */
export function fieldMask(paths: readonly string[]): (flow: Flow) => Flow {
  const fields = pathTree(paths);
  return (flow) => keep(flow as Plain, fields) as Flow;
}

function keep(message: Plain, fields: PathTree): Plain {
  const kept: Plain = {};
  for (const [name, value] of Object.entries(message)) {
    const field = fields.get(name);
    if (field === undefined) continue;
    const whole = field.children.size === 0 || typeof value !== 'object' || value === null;
    kept[name] = whole ? value : keep(value as Plain, field.children);
  }
  return kept;
}

/**
 * The JSON form of a field mask: paths in lowerCamelCase, joined by commas. A path that would not survive the way
 * back (`IP`) stays as it is, which protobuf itself refuses to write.
 */
export function fieldMaskText(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const camel = path.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase());
      return snakeCase(camel) === path ? camel : path;
    })
    .join(',');
}

/** The paths of a field mask's JSON form. */
export function fieldMaskPaths(text: string): string[] {
  return text === '' ? [] : text.split(',').map((path) => (camelPath(path) ? snakeCase(path) : path));
}

function camelPath(path: string): boolean {
  return !path.includes('_') && path.split('.').every((part) => /^[a-z]/.test(part));
}

function snakeCase(path: string): string {
  return path.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
}
