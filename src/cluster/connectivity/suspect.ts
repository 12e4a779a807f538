import { CURL } from './expectation.ts';
import type { Target } from './plan.ts';

/** Where a fault is looked for first. */
export type Area = 'node-to-node' | 'service' | 'dns' | 'policy' | 'unknown';

/** What others rest on comes first. */
export const AREAS: readonly Area[] = ['node-to-node', 'service', 'dns', 'policy', 'unknown'];

/** A flow of a path that failed. */
export interface SeenFlow {
  uuid: string;
  time: string;
  node: string;
  from: string;
  to: string;
  port: string;
  verdict: string;
  dropReason: string;
  direction: string;
  /** Policies that the agent names for it. */
  policies: readonly string[];
}

/** What the cluster's rules say of a path. */
export interface Decided {
  verdict: string;
  egress: { answer: string; text: string };
  ingress: { answer: string; text: string };
  /** A proxy decides after them. */
  byProxy?: boolean;
  /** `CiliumNetworkPolicy ns/name`, of what decided against it, else for it. */
  policies: readonly string[];
}

/** What is known of a path beside how its command ended. */
export interface Evidence {
  flows: readonly SeenFlow[];
  /** Why flows could not be read. */
  flowsTrouble?: string;
  decided?: Decided;
  /** Why the rules were not asked. */
  decidedTrouble?: string;
}

/** Whether other paths from the same pod work; undefined means that it is not known. */
export interface Reach {
  sameNodePod?: boolean | undefined;
  otherNodePod?: boolean | undefined;
  /** The address of a service whose pods are reached: false where one is not. */
  serviceIp?: boolean | undefined;
  /** Names resolve. */
  name?: boolean | undefined;
  /** Names resolve when a pod of the cluster DNS is asked itself. */
  dnsPod?: boolean | undefined;
  /** That pod answers that there is no such name. */
  isNameUnknown?: boolean | undefined;
  /** All pods of the cluster DNS run on other nodes. */
  isDnsElsewhere?: boolean | undefined;
  /** The pods behind the service that is the target. */
  backends?: boolean | undefined;
  /** The pod that is the target, or one behind it that is not reached, from another pod of its own node. */
  targetLocal?: boolean | undefined;
  /** The kubelet of its node reaches that pod, as its probe says. */
  probed?: boolean | undefined;
}

/** A path that did not do what was expected. */
export interface FailedPath {
  target: Target;
  /** The node of the pod that it begins at. */
  node: string;
  expected: 'allowed' | 'denied';
  /** Policy should drop its packets, and not a proxy refuse what they ask for. */
  isDropMeant?: boolean;
  /** Exit code of the command; undefined when it did not end. */
  code: number | undefined;
  /** The policies that were applied for it. */
  policies: readonly string[];
  /** How the same path did before they were. */
  before?: { ok: boolean; suspect?: Suspect | undefined } | undefined;
  evidence: Evidence;
  reach: Reach;
}

/** Where the fault may be, and what speaks for it. */
export interface Suspect {
  area: Area;
  sentence: string;
  because: readonly string[];
}

const POLICY_REASONS = /^(POLICY_DENIED|POLICY_DENY|AUTH_REQUIRED)$/;

/** Which part of the cluster a failure points to. Where the evidence does not say it, neither does this. */
export function suspectOf(path: FailedPath): Suspect {
  return path.expected === 'denied' ? ofPassed(path) : (ofPolicy(path) ?? ofParts(path));
}

function ofPassed(path: FailedPath): Suspect {
  const { code, policies, evidence } = path;
  const { decided } = evidence;
  if (code !== 0)
    return (
      (path.isDropMeant ? undefined : ofDrop(evidence)) ??
      ofBefore(path) ?? {
        area: 'unknown',
        sentence: `It failed, but not as ${path.isDropMeant === false ? 'a refusal of a proxy' : 'a drop of policy'} fails: what ended it cannot be told.`,
        because: dropsOf(evidence),
      }
    );
  const names = policies.length === 0 ? 'the policy' : policies.join(', ');
  if (!decided)
    return {
      area: 'policy',
      sentence: `Policy: ${names} should stop this path and does not.`,
      because: [`what the cluster's rules say was not found out: ${evidence.decidedTrouble ?? 'not asked'}`],
    };
  if (decided.verdict === 'allowed' && decided.byProxy)
    return {
      area: 'policy',
      sentence: `Policy: the proxy should refuse this by the rules of ${names}, and it got through.`,
      because: ruleLines(decided),
    };
  return decided.verdict === 'denied'
    ? {
        area: 'policy',
        sentence: `Policy: the rules deny this path (${names}), and the agents let it pass.`,
        because: ruleLines(decided),
      }
    : {
        area: 'policy',
        sentence: `Policy: ${names} should stop this path, but together the rules of the cluster ${decided.verdict === 'allowed' ? 'allow it' : 'do not decide it'}${namesOf(decided.policies)}.`,
        because: ruleLines(decided),
      };
}

/** A flow shows that policy drops it. */
function ofDrop(evidence: Evidence): Suspect | undefined {
  const { flows, decided } = evidence;
  const drop = flows.find(
    ({ verdict, dropReason }) => verdict === 'DROPPED' && POLICY_REASONS.test(dropReason),
  );
  if (!drop) return undefined;
  const names = drop.policies.length > 0 ? drop.policies : (decided?.policies ?? []);
  const contradicts = decided?.verdict === 'allowed';
  return {
    area: 'policy',
    sentence: `Policy: node ${drop.node} drops it at ${drop.direction || 'an unknown direction'} (${drop.dropReason})${contradicts ? ', while the rules of the cluster allow it' : namesOf(names)}.`,
    because: [...dropsOf(evidence), ...(decided ? ruleLines(decided) : [])],
  };
}

/** What it failed of before its policies were there; what is said of flows is said of those of now. */
function ofBefore({ policies, before, evidence }: FailedPath): Suspect | undefined {
  if (policies.length === 0 || !before?.suspect) return undefined;
  const { area, sentence } = before.suspect;
  return {
    area,
    sentence,
    because: ['the same path failed before the policies of the test were applied', ...dropsOf(evidence)],
  };
}

function ofPolicy(path: FailedPath): Suspect | undefined {
  const { evidence, policies, before, reach } = path;
  const { decided } = evidence;
  const drop = ofDrop(evidence);
  if (drop) return drop;
  if (policies.length > 0 && before?.ok)
    return {
      area: 'policy',
      sentence: `Policy: the same path works without ${policies.join(', ')}, which should allow it.`,
      because: [...dropsOf(evidence), ...(decided ? ruleLines(decided) : [])],
    };
  const earlier = ofBefore(path);
  if (earlier) return earlier;
  // Where the pods themselves are reached, the rules do not stop it.
  if (decided?.verdict !== 'denied' || reach.backends === true) return undefined;
  return {
    area: 'policy',
    sentence: `Policy: the rules of the cluster deny it${namesOf(decided.policies)}; no flow that was dropped by policy was seen.`,
    because: ruleLines(decided),
  };
}

function ofParts(path: FailedPath): Suspect {
  const { target, code, evidence } = path;
  const isName =
    target.kind === 'dns' ||
    ((target.kind === 'service' || target.kind === 'world') && code === CURL.resolve);
  const found = isName ? ofName(path) : ofAddress(path);
  return { ...found, because: [...found.because, ...dropsOf(evidence)] };
}

function ofName({ reach, target }: FailedPath): Suspect {
  const works = reach.sameNodePod === true || reach.otherNodePod === true;
  if (reach.isDnsElsewhere && reach.sameNodePod === true && reach.otherNodePod === false)
    return nodeToNode(
      'names do not resolve: all pods of the cluster DNS are on other nodes, which are not reached',
    );
  if (reach.serviceIp === false && works)
    return service('neither names nor addresses of services work, while addresses of pods do');
  if (reach.dnsPod === true && reach.name === false)
    return service(
      'a pod of the cluster DNS answers when it is asked itself, and the address of its service does not',
    );
  if (reach.name === true)
    return target.kind === 'world'
      ? unknown(
          `names of the cluster resolve, ${target.name} does not: is it known to the DNS that the cluster asks?`,
        )
      : {
          area: 'dns',
          sentence: 'DNS: this name does not resolve, while others do.',
          because: ['a name of the cluster was resolved from the same pod'],
        };
  if (works)
    return {
      area: 'dns',
      sentence: 'DNS: names do not resolve, while the addresses of pods are reached.',
      because: [
        ...(reach.serviceIp === true ? ['the address of a service is reached'] : []),
        ...(reach.dnsPod === false
          ? [
              reach.isNameUnknown
                ? 'a pod of the cluster DNS, asked itself, says that the name does not exist'
                : 'a pod of the cluster DNS does not answer either when it is asked itself',
            ]
          : []),
      ],
    };
  return unknown(
    reach.sameNodePod === false || reach.otherNodePod === false
      ? 'neither names nor addresses of pods work from this pod'
      : 'names do not resolve; whether addresses of pods are reached is not known',
  );
}

function ofAddress({ target, node, reach }: FailedPath): Suspect {
  const isElsewhere = target.node !== undefined && target.node !== node;
  switch (target.kind) {
    case 'service':
    case 'nodeport': {
      if (reach.backends === false && reach.targetLocal === false && reach.probed) return tellsApart();
      if (isElsewhere && reach.sameNodePod === true && reach.otherNodePod === false)
        return nodeToNode(`node ${target.node} is not reached from node ${node}`);
      if (reach.backends === true)
        return service(
          `${target.kind === 'nodeport' ? 'the port of the node' : 'the address of the service'} does not lead to its pods, which are reached by their own addresses`,
        );
      if (reach.sameNodePod === true && reach.otherNodePod === false)
        return nodeToNode('the pods behind it are not reached by their own addresses either');
      return unknown(
        reach.backends === false
          ? 'the pods behind it are not reached by their own addresses either'
          : 'whether the pods behind it are reached by their own addresses is not known',
      );
    }
    case 'pod':
    case 'host':
      if (target.kind === 'pod' && reach.probed && (!isElsewhere || reach.targetLocal === false))
        return tellsApart();
      if (isElsewhere && reach.targetLocal === false)
        return unknown(`it is not reached from a pod of its own node ${target.node} either`);
      if (isElsewhere && reach.sameNodePod === true)
        return target.kind === 'pod' || reach.otherNodePod === false
          ? nodeToNode(
              `${target.kind === 'pod' ? 'a pod' : 'the address'} of node ${target.node} is not reached from node ${node}`,
            )
          : unknown(
              `pods of node ${target.node} are reached, its own address is not: does its firewall answer pings?`,
            );
      if (isElsewhere)
        return unknown(
          reach.sameNodePod === false
            ? `pods of the own node ${node} are not reached either`
            : 'whether a pod of the own node is reached is not known',
        );
      return unknown(`the path stays on node ${node}: neither DNS, services nor other nodes are on it`);
    case 'world':
      return unknown(
        reach.sameNodePod === true || reach.otherNodePod === true
          ? 'paths within the cluster work, the way out of it does not'
          : reach.sameNodePod === false || reach.otherNodePod === false
            ? 'paths within the cluster do not work either'
            : 'whether paths within the cluster work is not known',
      );
    default:
      return unknown('nothing else is known of this path');
  }
}

function service(why: string): Suspect {
  return { area: 'service', sentence: `Service: ${why}.`, because: [] };
}

function nodeToNode(why: string): Suspect {
  return {
    area: 'node-to-node',
    sentence: `Node-to-node: ${why}, while pods of the own node are.`,
    because: [],
  };
}

/** The host is let in everywhere, pods are not: between them is what asks who sends. */
function tellsApart(): Suspect {
  return {
    area: 'policy',
    sentence:
      'Policy, most likely: the kubelet of its node reaches the pod, as its probe says, and pods do not, not even those of that node. What drops them tells senders apart, as policy does.',
    because: [],
  };
}

function unknown(why: string): Suspect {
  return { area: 'unknown', sentence: `What is at fault cannot be told: ${why}.`, because: [] };
}

function namesOf(policies: readonly string[]): string {
  return policies.length === 0 ? '' : `, by ${policies.join(', ')}`;
}

function ruleLines(decided: Decided): string[] {
  return [ruleText(decided, 'egress'), ruleText(decided, 'ingress')];
}

/** What the rules say of one side of a path. */
export function ruleText(decided: Decided, side: 'egress' | 'ingress'): string {
  return `${side} ${decided[side].answer}: ${decided[side].text}`;
}

function dropsOf({ flows, flowsTrouble }: Evidence): string[] {
  if (flowsTrouble !== undefined) return [`flows were not read: ${flowsTrouble}`];
  const drops = flows.filter(({ verdict }) => verdict === 'DROPPED');
  if (flows.length === 0) return ['Hubble shows no flow of it'];
  if (drops.length === 0)
    return [`Hubble shows ${flows.length} flow${flows.length === 1 ? '' : 's'} of it, none of them dropped`];
  return [
    ...new Set(
      drops.map(({ dropReason, node }) => `dropped on node ${node}: ${dropReason || 'no reason is given'}`),
    ),
  ];
}
