import type { Label } from '../../model/label.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';

/** The labels by which a workload can be selected tomorrow, and those that only this run of it has. */
export interface SortedLabels {
  lasting: Label[];
  passing: Label[];
}

/** Keys whose value belongs to one run, one pod or one revision: whoever makes pods sets them anew each time. */
const PASSING_KEYS: readonly RegExp[] = [
  /^(?:batch\.kubernetes\.io\/.+|job-name|controller-uid)$/,
  /^(?:(?:apps|statefulset)\.kubernetes\.io\/pod-index|pod-index)$/,
  // What names the pod itself: statefulset.kubernetes.io/pod-name, job.runner.gitlab.com/pod, …
  /(?:^|\/)pod(?:[-_.]?name)?$/i,
  // pod-template-hash, controller-revision-hash, rollouts-pod-template-hash, template-revision-hash, …
  /(?:^|[-./_])(?:hash|uid|uuid)$/i,
  /(?:^|\/)\w*(?:UID|Uid)$/,
  /^(?:pod-template-generation|deployment\.kubernetes\.io\/revision)$/,
  /^workflows\.argoproj\.io\/(?:workflow|completed|phase|resubmitted-from-workflow|workflow-archiving-status)$/,
  /^tekton\.dev\/(?:pipelineRun|taskRun|customRun)$/,
  /^(?:spark-app-selector|spark-exec-id|sparkoperator\.k8s\.io\/(?:submission-id|executor-id))$/,
  /^(?:run_id|execution_date|logical_date|try_number|map_index|airflow-worker)$/,
  /^serving\.knative\.dev\/(?:revision|configurationGeneration|routingState)$/,
  /^(?:jobset\.sigs\.k8s\.io|leaderworkerset\.sigs\.k8s\.io)\/(?:job-index|job-global-index|job-key|restart-attempt|worker-index|group-index|group-key)$/,
];

/** Keys by which people name workloads. */
const WORKLOAD_KEYS: ReadonlySet<string> = new Set([
  'app',
  'app.kubernetes.io/name',
  'app.kubernetes.io/instance',
  'app.kubernetes.io/component',
  'app.kubernetes.io/part-of',
  'k8s-app',
  'component',
  'name',
  'release',
  'run',
  'tier',
]);

/** Letters and digits of the endings that Kubernetes generates for names (`hello-28555395-pp5rm`). */
const GENERATED_END = /-(?=[^-]*[0-9])[bcdfghjklmnpqrstvwxz2456789]{5,10}$/;

/** Whether a value looks as if a program had made it: a long number, a hash, a UUID, a generated ending. */
function looksGenerated(value: string): boolean {
  return (
    /[0-9]{6,}/.test(value) ||
    /(?:^|[-_.])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{8,}(?:$|[-_.])/.test(value) ||
    GENERATED_END.test(value)
  );
}

/** An identity's own labels: without those that Kubernetes and Cilium add for namespace, account and cluster. */
function ownLabels({ labels }: Identity): Label[] {
  return labels.filter(({ key }) => !key.startsWith('io.kubernetes.') && !key.startsWith('io.cilium.'));
}

/** Tells the labels that stay from those that change from run to run, by their keys and by what was seen of each workload. */
export class LabelSorter {
  /** `workload key` → the values that its pods have. */
  readonly #values = new Map<string, Set<string | undefined>>();
  readonly #identities = new Map<string, Identity[]>();
  readonly #sorted = new Map<Identity, SortedLabels>();
  readonly #workloads = new Map<Identity, string>();

  /** `seen` are identities with the name of the workload that Hubble saw them in. */
  constructor(seen: Iterable<[Identity, workload: string | undefined]>) {
    for (const [identity, workload] of seen) {
      if (!workload || this.#workloads.has(identity)) continue;
      this.#workloads.set(identity, workload);
      const known = this.#identities.get(workload) ?? [];
      known.push(identity);
      this.#identities.set(workload, known);
    }
    for (const [workload, identities] of this.#identities) {
      const keys = new Set(identities.flatMap((identity) => ownLabels(identity).map(({ key }) => key)));
      for (const key of keys)
        this.#values.set(`${workload} ${key}`, new Set(identities.map(({ byKey }) => byKey.get(key)?.value)));
    }
  }

  sort(identity: Identity): SortedLabels {
    const known = this.#sorted.get(identity);
    if (known) return known;
    const own = ownLabels(identity);
    const byRun = own.filter(({ key }) => this.#changes(identity, key));
    const runValues = new Set(byRun.map(({ value }) => value));
    const stays = own.filter((label) => !byRun.includes(label));
    const named = stays.filter(
      ({ key, value }) =>
        WORKLOAD_KEYS.has(key) && value !== '' && !(runValues.has(value) && looksGenerated(value)),
    );
    const lasting = stays.filter(
      (label) =>
        named.includes(label) ||
        !(looksGenerated(label.value) && (named.length > 0 || runValues.has(label.value))),
    );
    const sorted = { lasting, passing: own.filter((label) => !lasting.includes(label)) };
    this.#sorted.set(identity, sorted);
    return sorted;
  }

  #changes(identity: Identity, key: string): boolean {
    if (PASSING_KEYS.some((pattern) => pattern.test(key))) return true;
    const workload = this.#workloads.get(identity);
    return workload !== undefined && (this.#values.get(`${workload} ${key}`)?.size ?? 0) > 1;
  }
}
