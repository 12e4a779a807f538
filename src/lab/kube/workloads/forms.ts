import { type LabelSelector, selectsLabels } from '../../../model/selector.ts';
import type { Stored } from '../store.ts';

/** A container of a pod, as far as the lab looks at it. */
export interface Container {
  name: string;
  image?: string;
  command?: string[];
  args?: string[];
  ports?: { name?: string; containerPort: number; hostPort?: number; protocol?: string }[];
}

interface PodTerm {
  labelSelector?: LabelSelector;
  namespaces?: string[];
  topologyKey?: string;
}

interface PodTerms {
  requiredDuringSchedulingIgnoredDuringExecution?: PodTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: { weight?: number; podAffinityTerm?: PodTerm }[];
}

/** What the lab reads of a pod's specification. */
export interface PodSpec {
  nodeName?: string;
  nodeSelector?: Record<string, string>;
  hostNetwork?: boolean;
  serviceAccountName?: string;
  hostname?: string;
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: {
        nodeSelectorTerms?: { matchExpressions?: LabelSelector['matchExpressions'] }[];
      };
    };
    podAffinity?: PodTerms;
    podAntiAffinity?: PodTerms;
  };
  tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
  containers?: Container[];
  initContainers?: Container[];
  [field: string]: unknown;
}

export interface PodObject extends Stored {
  spec?: PodSpec;
  status?: {
    phase?: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    conditions?: { type: string; status: string; [field: string]: unknown }[];
    [field: string]: unknown;
  };
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: PodSpec;
}

export interface WorkloadObject extends Stored {
  spec?: {
    replicas?: number;
    paused?: boolean;
    selector?: LabelSelector;
    template?: PodTemplate;
    updateStrategy?: { type?: string };
  };
  status?: Record<string, unknown>;
}

export interface NodeObject extends Stored {
  spec?: {
    unschedulable?: boolean;
    taints?: { key: string; value?: string; effect: string }[];
    [field: string]: unknown;
  };
}

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  protocol?: string;
}

export interface ServiceObject extends Stored {
  spec?: {
    type?: string;
    clusterIP?: string;
    clusterIPs?: string[];
    selector?: Record<string, string>;
    ports?: ServicePort[];
    externalTrafficPolicy?: string;
    internalTrafficPolicy?: string;
    publishNotReadyAddresses?: boolean;
    [field: string]: unknown;
  };
}

/** Whether labels are selected; a selector that is absent selects nothing. */
export function selects(selector: LabelSelector | undefined, labels: Record<string, string> = {}): boolean {
  return selector !== undefined && selectsLabels(selector, labels);
}

export function isReady(pod: PodObject): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

/** The controller that a pod belongs to. */
export function ownerOf({ metadata }: Stored): { kind: string; name: string; uid?: string } | undefined {
  const { ownerReferences } = metadata as { ownerReferences?: OwnerReference[] };
  return ownerReferences?.find(({ controller }) => controller);
}

interface OwnerReference {
  kind: string;
  name: string;
  uid?: string;
  controller?: boolean;
}

/** Every owner of an object. */
export function ownersOf({ metadata }: Stored): OwnerReference[] {
  const { ownerReferences } = metadata as { ownerReferences?: OwnerReference[] };
  return ownerReferences ?? [];
}
