import {
  type Action,
  type Actions,
  ECHO_PORT,
  nslookup,
  type Target,
  type TestPod,
} from '../../cluster/connectivity/plan.ts';
import type { Reach } from '../../cluster/connectivity/suspect.ts';

/** Runs an action and says whether it succeeded; undefined where it could not be tried. */
export type Try = (action: Action) => Promise<boolean | undefined>;

/** Finds out which other paths from a pod work, once for each pod. */
export class ReachReader {
  readonly #known = new Map<string, Promise<Reach>>();
  readonly #backends = new Map<string, Promise<boolean | undefined>>();

  constructor(
    private readonly actions: Actions,
    private readonly attempt: Try,
  ) {}

  /** Of the pod that a path begins at, and of what the path leads to. */
  async read(from: TestPod, target: Target): Promise<Reach> {
    const general = this.#known.get(from.pod) ?? this.#readAll(from);
    this.#known.set(from.pod, general);
    const { backends } = target;
    if (target.kind === 'pod' && target.node !== from.node)
      return { ...(await general), targetLocal: await this.#fromItsNode(target) };
    if (!backends) return general;
    return { ...(await general), backends: await this.#all(from, backends) };
  }

  async #readAll(from: TestPod): Promise<Reach> {
    const { actions } = this;
    const { world } = actions;
    const echoes = actions.echoes();
    const here = echoes.filter(({ node }) => node === from.node);
    const there = echoes.filter(({ node }) => node !== from.node);
    const sameNodePod = await this.#any(from, here);
    const otherNodePod = await this.#any(from, there);
    // One that does not lead to another node says more of services.
    const isHere = (name: string) => here.some((pod) => pod.name === name);
    const [service] = world.services.toSorted((a, b) => Number(isHere(b.name)) - Number(isHere(a.name)));
    const byIp = service && actions.toServiceIp(from, service);
    const serviceIp = byIp && (await this.attempt(byIp));
    const name = service && actions.nameOf(service);
    const lookup = name === undefined ? undefined : await this.attempt(actions.lookup(from, name));
    const [dns] = world.dns.pods.toSorted(
      (a, b) => Number(a.node !== from.node) - Number(b.node !== from.node),
    );
    const direct: Action | undefined =
      dns && name !== undefined
        ? {
            name: 'nslookup',
            from,
            to: { kind: 'dns', name: dns.name, ip: dns.ip },
            argv: nslookup(name, dns.ip),
            expect: { exit: 0 },
          }
        : undefined;
    return {
      sameNodePod,
      otherNodePod,
      serviceIp,
      name: lookup,
      dnsPod: direct && (await this.attempt(direct)),
      isDnsElsewhere: world.dns.pods.length > 0 && world.dns.pods.every(({ node }) => node !== from.node),
    };
  }

  /** Whether a client of the target's own node reaches it; undefined where there is none. */
  async #fromItsNode({ name, node }: Target): Promise<boolean | undefined> {
    const pod = this.actions.world.pods.find((one) => `${one.namespace}/${one.pod}` === name);
    const client = this.actions.clients().find((one) => one.node === node && one.pod !== pod?.pod);
    return pod?.labels.kind === 'echo' && client ? this.#reaches(client, pod) : undefined;
  }

  /** Whether one of the pods is reached; undefined where there is none. */
  async #any(from: TestPod, pods: readonly TestPod[]): Promise<boolean | undefined> {
    let answer: boolean | undefined;
    for (const pod of pods) {
      const reached = await this.#reaches(from, pod);
      if (reached) return true;
      answer = reached ?? answer;
    }
    return answer;
  }

  async #all(from: TestPod, pods: readonly TestPod[]): Promise<boolean | undefined> {
    for (const pod of pods) {
      const reached = await this.#reaches(from, pod);
      if (reached !== true) return reached;
    }
    return pods.length === 0 ? undefined : true;
  }

  #reaches(from: TestPod, pod: TestPod): Promise<boolean | undefined> {
    const key = `${from.pod} ${pod.pod} ${ECHO_PORT}`;
    const [action] = this.actions.toPod(from, pod);
    const asked = this.#backends.get(key) ?? (action ? this.attempt(action) : Promise.resolve(undefined));
    this.#backends.set(key, asked);
    return asked;
  }
}
