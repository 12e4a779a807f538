import {
  type Action,
  type Actions,
  nslookup,
  type Target,
  type TestPod,
} from '../../cluster/connectivity/plan.ts';
import type { Reach } from '../../cluster/connectivity/suspect.ts';

/** Runs an action and says whether it succeeded, and what it wrote; undefined where it could not be tried. */
export type Try = (action: Action) => Promise<{ ok: boolean; text: string } | undefined>;

/** How clients of DNS say that there is no such name. */
const NO_NAME = /NXDOMAIN/;

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
    const pods =
      target.backends ?? this.actions.echoes().filter((pod) => `${pod.namespace}/${pod.pod}` === target.name);
    const failing = await this.#firstFailing(from, pods);
    return {
      ...(await general),
      ...(target.backends && { backends: failing === 'unknown' ? undefined : failing === undefined }),
      ...(typeof failing === 'object' && {
        targetLocal: await this.#fromItsNode(failing),
        probed: failing.isReady,
      }),
    };
  }

  /** The first of the pods that is not reached. */
  async #firstFailing(from: TestPod, pods: readonly TestPod[]): Promise<TestPod | 'unknown' | undefined> {
    if (pods.length === 0) return 'unknown';
    for (const pod of pods) {
      const reached = await this.#reaches(from, pod);
      if (reached === undefined) return 'unknown';
      if (!reached) return pod;
    }
    return undefined;
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
    const serviceIp = byIp && (await this.#works(byIp));
    const name = service && actions.nameOf(service);
    const lookup = name === undefined ? undefined : await this.#works(actions.lookup(from, name));
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
    const answer = direct && (await this.attempt(direct));
    return {
      sameNodePod,
      otherNodePod,
      serviceIp,
      name: lookup,
      dnsPod: answer?.ok,
      isNameUnknown: answer && NO_NAME.test(answer.text),
      isDnsElsewhere: world.dns.pods.length > 0 && world.dns.pods.every(({ node }) => node !== from.node),
    };
  }

  async #works(action: Action): Promise<boolean | undefined> {
    return (await this.attempt(action))?.ok;
  }

  /** Whether a client of its own node reaches a pod; undefined where there is none. */
  async #fromItsNode(pod: TestPod): Promise<boolean | undefined> {
    const client = this.actions.clients().find(({ node }) => node === pod.node);
    return client && this.#reaches(client, pod);
  }

  /** Whether one of the pods is reached; undefined where there is none. */
  async #any(from: TestPod, pods: readonly TestPod[]): Promise<boolean | undefined> {
    let answer: boolean | undefined;
    for (const pod of pods) {
      const reached = await this.#reaches(from, pod);
      if (reached) return true;
      // One that its own node does not reach either says nothing of the way there.
      const isTelling = pod.node === from.node || (await this.#fromItsNode(pod)) !== false;
      if (isTelling) answer = reached ?? answer;
    }
    return answer;
  }

  #reaches(from: TestPod, pod: TestPod): Promise<boolean | undefined> {
    const key = `${from.pod} ${pod.pod}`;
    const [action] = this.actions.toPod(from, pod);
    const asked = this.#backends.get(key) ?? (action ? this.#works(action) : Promise.resolve(undefined));
    this.#backends.set(key, asked);
    return asked;
  }
}
