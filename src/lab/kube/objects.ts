import { createHash } from 'node:crypto';
import type { Agent } from '../agent/agent.ts';
import type { LabNode } from '../world/world.ts';

/** An object as it is put into the store: the rest is the server's. */
export interface NewObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Where the lab's Cilium is installed. */
export const CILIUM_NAMESPACE = 'kube-system';
/** The port of Hubble Relay in its pod. */
export const RELAY_PORT = 4245;

/** An agent of the lab and the node that it runs on. */
export interface LabMember {
  node: LabNode;
  agent: Agent;
}

/** The name of the agent's pod on a node. */
export function agentPod(node: string): string {
  return `cilium-${suffix(node)}`;
}

export const RELAY_POD = `hubble-relay-${suffix('hubble-relay')}`;
export const OPERATOR_POD = `cilium-operator-${suffix('cilium-operator')}`;

/** Five characters that follow from a name, as pods have them at the end of theirs. */
export function suffix(of: string): string {
  return createHash('sha256').update(of).digest('hex').slice(0, 5);
}

/** A label's key, with its source, and its value. */
export function split(label: string): [string, string] {
  const at = label.indexOf('=');
  return at < 0 ? [label, ''] : [label.slice(0, at), label.slice(at + 1)];
}
