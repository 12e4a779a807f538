/** A pod, as far as it says why it does not run. */
export interface WaitingPod {
  metadata?: { name?: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec?: { nodeName?: string; containers?: { image?: string }[] };
  status?: {
    phase?: string;
    reason?: string;
    message?: string;
    conditions?: { type?: string; status?: string; reason?: string; message?: string }[];
    containerStatuses?: {
      name?: string;
      ready?: boolean;
      restartCount?: number;
      state?: {
        waiting?: { reason?: string; message?: string };
        terminated?: { reason?: string; exitCode?: number };
        running?: object;
      };
      lastState?: { terminated?: { reason?: string; exitCode?: number } };
    }[];
  };
}

/** A Deployment, as far as it says why it makes no pods. */
export interface WaitingDeployment {
  metadata?: { name?: string };
  status?: {
    conditions?: { type?: string; status?: string; reason?: string; message?: string }[];
    observedGeneration?: number;
  };
}

const PULL = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
]);
const BROKEN = new Set([
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);

/** Why a pod will not run, however long one waits; undefined while it may. */
export function podTrouble({ metadata, spec, status }: WaitingPod): string | undefined {
  const name = metadata?.name ?? '';
  for (const { state, restartCount = 0, lastState } of status?.containerStatuses ?? []) {
    const { reason = '', message } = state?.waiting ?? {};
    const image = spec?.containers?.[0]?.image ?? '';
    if (PULL.has(reason))
      return `pod ${name}: the image ${image} cannot be pulled (${reason}${message ? `: ${message}` : ''})`;
    if (BROKEN.has(reason)) {
      const last = lastState?.terminated;
      const ended = last && `; it ended: ${last.reason ?? `exit code ${last.exitCode}`}`;
      return `pod ${name}: its container does not run (${reason}${message ? `: ${message}` : ''}${ended ?? ''})`;
    }
    if (state?.terminated && restartCount > 1)
      return `pod ${name}: its container ends (${state.terminated.reason ?? `exit code ${state.terminated.exitCode}`})`;
  }
  const unplaced = status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False');
  if (unplaced?.reason === 'Unschedulable')
    return `pod ${name} cannot be scheduled: ${unplaced.message ?? 'no reason is given'}`;
  if (status?.phase === 'Failed')
    return `pod ${name} failed: ${[status.reason, status.message].filter(Boolean).join(': ') || 'no reason is given'}`;
  return undefined;
}

/** Why a Deployment cannot make its pods: quota, PodSecurity and other refusals of the API server. */
export function deploymentTrouble({ metadata, status }: WaitingDeployment): string | undefined {
  const failed = status?.conditions?.find((one) => one.type === 'ReplicaFailure' && one.status === 'True');
  if (!failed) return undefined;
  const { reason = '', message = '' } = failed;
  // The account has just been made, and the controller tries again.
  if (/serviceaccount ".*" not found|looking up service account/.test(message)) return undefined;
  const what = /exceeded quota/.test(message)
    ? 'a quota forbids it'
    : /PodSecurity/.test(message)
      ? 'the PodSecurity of the namespace forbids it'
      : reason;
  return `deployment ${metadata?.name ?? ''} makes no pods: ${what}: ${message}`;
}

export function isReadyPod({ metadata, status }: WaitingPod): boolean {
  if (metadata?.deletionTimestamp !== undefined || status?.phase !== 'Running') return false;
  return status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
}

/** How far pods have come when waiting for them ended. */
export function waitedInVain(
  wanted: readonly string[],
  pods: readonly WaitingPod[],
  deployments: readonly WaitingDeployment[],
  seconds: number,
): string {
  const after = `after ${seconds} s`;
  if (pods.length === 0) {
    const isSeen = deployments.some(({ status }) => (status?.observedGeneration ?? 0) > 0);
    return isSeen
      ? `no pod was made ${after}: the controllers have seen the deployments`
      : `no pod was made ${after}: no controller of this cluster takes up deployments, so pods do not run here`;
  }
  const ready = new Set(pods.filter(isReadyPod).map(({ metadata }) => metadata?.labels?.name));
  const open = wanted.filter((name) => !ready.has(name));
  const rows = open.map((name) => {
    const pod = pods.find(({ metadata }) => metadata?.labels?.name === name);
    if (!pod) return `${name}: no pod was made`;
    const { status, spec } = pod;
    if (spec?.nodeName === undefined) return `${name}: no scheduler has placed the pod`;
    const [container] = status?.containerStatuses ?? [];
    if (!container) return `${name}: no kubelet of node ${spec.nodeName} has taken up the pod`;
    if (container.state?.waiting)
      return `${name}: the container waits: ${container.state.waiting.reason ?? 'no reason is given'}`;
    return `${name}: the pod is ${status?.phase ?? 'in an unknown phase'} and not ready`;
  });
  return `${open.length} of ${wanted.length} pods were not ready ${after}: ${rows.join('; ')}`;
}
