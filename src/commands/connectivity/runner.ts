import { RealizedWatch } from '../../cli/policy/realized-watch.ts';
import {
  CURL,
  type Ended,
  expectationText,
  failureOf,
  trueExit,
} from '../../cluster/connectivity/expectation.ts';
import {
  type AppliedObject,
  type Filling,
  type PolicyDocument,
  policyDocument,
  policyObject,
} from '../../cluster/connectivity/objects.ts';
import { type Action, type Actions, pathText } from '../../cluster/connectivity/plan.ts';
import type { ActionResult } from '../../cluster/connectivity/results.ts';
import { type Suspect, suspectOf } from '../../cluster/connectivity/suspect.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { type KubeClient, KubeUnreachable } from '../../kube/client.ts';
import { ExecNotStarted, exec } from '../../kube/exec.ts';
import { dropOwn, pathOfObject, putOwn } from '../../kube/own-objects.ts';
import type { Release } from '../../model/release.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { type EvidenceReader, questionOf } from './evidence.ts';
import { ReachReader } from './reach.ts';

export type FlowValidation = 'disabled' | 'warning' | 'strict';

/** What a runner works with. */
export interface RunnerParts {
  client: KubeClient;
  actions: Actions;
  evidence: EvidenceReader;
  policies: Readonly<Record<string, PolicyDocument>>;
  filling: Filling;
  namespace: string;
  expires: string;
  release: Release | undefined;
  /** Labels of the nodes whose agents have to realize policies. */
  selector: string;
  /** For one command, in milliseconds. */
  actionMs: number;
  flows: FlowValidation;
}

const MAX_OUTPUT = 1024 * 1024;
const REALIZED_MS = 30_000;
/** Beside the command's own time, for the way there and back. */
const EXEC_MS = 10_000;

/** An action that could not be tried. */
export interface NotTried {
  notTried: string;
}

/** Runs actions, and looks into those that fail. */
export class Runner {
  readonly #before = new Map<string, { ok: boolean; suspect?: Suspect | undefined }>();
  readonly #reach: ReachReader;

  constructor(
    readonly parts: RunnerParts,
    private readonly ctx: Context,
  ) {
    this.#reach = new ReachReader(parts.actions, async (action) => {
      const ended = await this.run(action);
      if ('notTried' in ended) return undefined;
      return {
        ok: failureOf(action.expect, ended) === undefined,
        text: `${ended.stdout}\n${ended.stderr}`,
      };
    });
  }

  /** Runs a command in a pod of the tests, at most as long as an action may take. */
  async run({ from, argv }: Pick<Action, 'from' | 'argv'>): Promise<Ended | NotTried> {
    const limitMs = this.parts.actionMs + EXEC_MS;
    const limit = AbortSignal.timeout(limitMs);
    const signal = AbortSignal.any([this.ctx.signal, limit]);
    const target = { namespace: from.namespace, pod: from.pod, container: from.container, command: argv };
    for (let attempt = 1; ; attempt++) {
      try {
        const { exitCode, stdout, stderr } = await exec(this.parts.client, target, MAX_OUTPUT, signal);
        return { argv, exitCode, stdout: stdout.toString('utf8'), stderr };
      } catch (error) {
        this.ctx.signal.throwIfAborted();
        if (limit.aborted)
          return { argv, exitCode: 124, stdout: '', stderr: `it did not end within ${limitMs / 1000} s` };
        if (error instanceof ExecNotStarted) return { notTried: error.message };
        // The way to the pod broke, which says nothing of the path.
        if (!(error instanceof KubeUnreachable) || attempt === 2) throw error;
      }
    }
  }

  /** Runs an action and judges it. `policies` are those that were applied for it. */
  async act(
    test: string,
    action: Action,
    policies: readonly string[] = [],
  ): Promise<ActionResult | NotTried> {
    const [sinceMs, begin] = [this.ctx.clock.nowMs(), performance.now()];
    let ended = await this.run(action);
    if ('notTried' in ended) return ended;
    let failure = failureOf(action.expect, ended);
    const warnings: string[] = [];
    let earlier: ReadonlySet<string> = new Set();
    if (failure !== undefined && action.expect.exit === 0) {
      // Only flows of the second attempt are surely of it: tests before it may have taken the same path.
      earlier = await this.parts.evidence.seen(action.from, this.#nodes(action));
      const again = await this.run(action);
      if ('notTried' in again) return again;
      const second = failureOf(action.expect, again);
      if (second === undefined)
        warnings.push(`it succeeded only at the second attempt; at the first: ${failure}`);
      failure = second;
      ended = again;
    }
    const { code } = trueExit(ended.exitCode, ended.stderr);
    // curl says 28 too when the name took too long.
    const isUnresolved = /Resolving timed out|Could not resolve host/i.test(ended.stderr);
    const key = keyOf(action);
    const base = {
      name: `${test}/${action.name}`,
      path: pathText(action),
      command: action.argv.join(' '),
      exitCode: code,
      expected: expectationText(action.expect),
    };
    if (failure === undefined && action.expect.drop !== undefined) {
      const missing = await this.#missingDrop(action, sinceMs);
      if (missing !== undefined && this.parts.flows === 'strict') failure = missing;
      else if (missing !== undefined) warnings.push(missing);
    }
    const ms = () => Math.round(performance.now() - begin);
    if (failure === undefined) {
      if (policies.length === 0) this.#before.set(key, { ok: true });
      return { ...base, ok: true, warnings, ms: ms() };
    }
    const { evidence, suspect } = await this.#explain(
      action,
      isUnresolved ? CURL.resolve : code,
      sinceMs,
      policies,
      earlier,
      this.#before.get(key) ??
        (isUnresolved || code === CURL.resolve ? this.#lookupBefore(action) : undefined),
    );
    if (policies.length === 0) this.#before.set(key, { ok: false, suspect });
    return { ...base, ok: false, failure, warnings, evidence, suspect, ms: ms() };
  }

  /** How the name of a URL did when it was looked up by itself. */
  #lookupBefore({ from, argv }: Action) {
    const url = argv.at(-1) ?? '';
    if (!URL.canParse(url)) return undefined;
    return this.#before.get(keyOf(this.parts.actions.lookup(from, new URL(url).hostname)));
  }

  /** Why no flow shows the drop that was expected; undefined where one does, or where nobody asked. */
  async #missingDrop(action: Action, sinceMs: number): Promise<string | undefined> {
    if (this.parts.flows === 'disabled') return undefined;
    const { flows, trouble } = await this.parts.evidence.flows(
      this.#question(action, sinceMs),
      this.#nodes(action),
      true,
    );
    if (trouble !== undefined) return `flows were not validated: ${trouble}`;
    const { drop, reason } = action.expect;
    const isMeant = flows.some(
      ({ verdict, traffic_direction, drop_reason_desc }) =>
        verdict === 'DROPPED' &&
        (drop === 'either' || traffic_direction?.toString().toLowerCase() === drop) &&
        (reason === undefined || drop_reason_desc === reason),
    );
    return isMeant
      ? undefined
      : `Flow validation: Hubble shows no drop of it${reason ? ` (${reason})` : ''} in ${flows.length} flows`;
  }

  #question({ from, to }: Action, sinceMs: number) {
    const { dns } = this.parts.actions.world;
    const servers = [
      ...(dns.serviceIp === undefined ? [] : [dns.serviceIp]),
      ...dns.pods.map(({ ip }) => ip),
    ];
    return questionOf(from, to, servers, sinceMs);
  }

  #nodes({ from, to }: Action): string[] {
    const others = [to.node, ...(to.backends ?? []).map(({ node }) => node)];
    return [from.node, ...others.filter((node) => node !== undefined)];
  }

  async #explain(
    action: Action,
    code: number,
    sinceMs: number,
    policies: readonly string[],
    earlier: ReadonlySet<string>,
    before: { ok: boolean; suspect?: Suspect | undefined } | undefined,
  ) {
    const { from, to, expect } = action;
    const isName = to.kind === 'dns' || (to.kind === 'service' && code === CURL.resolve);
    const question = this.#question(isName ? { ...action, to: { ...to, kind: 'dns' } } : action, sinceMs);
    const evidence = await this.parts.evidence.read({ ...question, earlier }, this.#nodes(action));
    // What is found out under a policy says nothing of the parts below it.
    const reach = policies.length === 0 ? await this.#reach.read(from, to) : {};
    const suspect = suspectOf({
      target: to,
      node: from.node,
      expected: expect.exit === 0 ? 'allowed' : 'denied',
      isDropMeant: expect.drop !== undefined,
      code,
      policies,
      before,
      evidence,
      reach,
    });
    return { evidence, suspect };
  }

  /** Why these policies cannot be applied to this cluster; undefined when they can. */
  async unsupported(names: readonly string[]): Promise<string | undefined> {
    const files = this.#objects(names).map((object) => ({
      file: object.metadata.name,
      text: JSON.stringify(object),
    }));
    const { findings } = await parsePolicies(files, { target: this.parts.release });
    const [wrong] = findings.filter(({ severity }) => severity === 'error');
    return (
      wrong && `agents of ${this.parts.release ?? 'this release'} do not know its policies: ${wrong.message}`
    );
  }

  #objects(names: readonly string[]): AppliedObject[] {
    const { policies, namespace, expires, filling } = this.parts;
    return names.map((name) => {
      const document = policyDocument(policies, name);
      if (!document) throw new Error(`no policy ${name}`);
      return policyObject(document, name, { namespace, expires, isKept: false }, filling);
    });
  }

  /** Applies policies, waits until all endpoints have realized them, and takes them away when the work is done. */
  async withPolicies(names: readonly string[], work: () => Promise<void>): Promise<string[]> {
    const objects = this.#objects(names);
    const warnings: string[] = [];
    const applied: AppliedObject[] = [];
    try {
      await this.#realized(async () => {
        const uids: string[] = [];
        for (const object of objects) {
          applied.push(object);
          const { metadata } = await putOwn(this.parts.client, object);
          if (metadata?.uid !== undefined) uids.push(metadata.uid);
        }
        return { changed: objects.length, uids };
      });
      await work();
    } finally {
      // After Ctrl-C the namespace goes as a whole.
      if (!this.ctx.signal.aborted)
        await this.#realized(async () => {
          for (const object of applied) await dropOwn(this.parts.client, pathOfObject(object));
          return { changed: applied.length, uids: [] };
        }).catch((error: unknown) => {
          this.ctx.signal.throwIfAborted();
          warnings.push(`after the policies were removed: ${wordsOfError(error)}`);
        });
    }
    return warnings;
  }

  async #realized(change: () => Promise<{ changed: number; uids: string[] }>): Promise<void> {
    const quiet = { write: async () => {}, pass: async () => {}, isTTY: false, columns: undefined };
    const ctx: Context = { ...this.ctx, out: quiet, err: quiet };
    const cluster = { ...ctx.globals.cluster, selector: this.parts.selector };
    const watch = await RealizedWatch.open(cluster, ctx);
    const changes = await change();
    await watch.until(changes, REALIZED_MS);
  }
}

/** Actions of one key take one path. */
function keyOf({ from, to }: Pick<Action, 'from' | 'to'>): string {
  return `${from.pod} ${to.kind} ${to.name} ${to.ip ?? ''}`;
}

/** An error with what it says of each node. */
export function wordsOfError(error: unknown): string {
  const hint =
    error instanceof UserError && error.hint !== undefined ? ` (${error.hint.replaceAll('\n', '; ')})` : '';
  return `${errorMessage(error)}${hint}`;
}
