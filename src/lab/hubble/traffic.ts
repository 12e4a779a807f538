import type { Flow } from '../../model/hubble.gen.ts';
import type { Agent } from '../agent/agent.ts';
import type { ScenarioTraffic } from '../scenario/scenario.ts';
import { converse } from './conversation.ts';
import type { FlowSource } from './player.ts';

/** How many turns a conversation takes before it repeats: other client ports, other backends. */
const TURNS = 4;

/**
 * The traffic of a scenario, conversation by conversation, each as often as its weight says and as the policy in
 * force lets it. A conversation looks the same until the policy or its ends change.
 */
export class TrafficSource implements FlowSource {
  readonly #lines: { traffic: ScenarioTraffic; next: number; step: number; turn: number }[];
  /** Flows by what they say: a flow that comes again is the same object. */
  readonly #known = new Map<string, Flow>();
  readonly #made = new Map<string, Flow[]>();
  #queue: Flow[] = [];
  readonly #stop: () => void;

  constructor(
    traffic: readonly ScenarioTraffic[],
    private readonly agent: Agent,
  ) {
    this.#lines = traffic.map((line, i) => {
      const step = 1 / (line.weight ?? 1);
      return { traffic: line, step, next: step * (1 + i / 1000), turn: 0 };
    });
    const forget = () => {
      this.#made.clear();
      this.#known.clear();
    };
    const stops = [
      agent.watch(forget),
      agent.watchState((state, before) => {
        if (state.services !== before.services || state.dns !== before.dns) forget();
      }),
    ];
    this.#stop = () => {
      for (const stop of stops) stop();
    };
  }

  next(): Flow {
    for (let tries = 0; this.#queue.length === 0; tries++) {
      if (tries > this.#lines.length * TURNS) return NOTHING;
      this.#queue = [...this.#converse()];
    }
    return this.#queue.shift() ?? NOTHING;
  }

  close(): void {
    this.#stop();
  }

  /** Lets the conversation speak whose turn it is. */
  #converse(): readonly Flow[] {
    const line = this.#lines.reduce((a, b) => (b.next < a.next ? b : a));
    line.next += line.step;
    line.turn = (line.turn + 1) % TURNS;
    const key = `${this.#lines.indexOf(line)} ${line.turn}`;
    let flows = this.#made.get(key);
    if (!flows) {
      flows = converse(line.traffic, this.agent, line.turn).map((flow) => this.#same(flow));
      this.#made.set(key, flows);
    }
    return flows;
  }

  #same(flow: Flow): Flow {
    const text = JSON.stringify(flow);
    const known = this.#known.get(text);
    if (known) return known;
    this.#known.set(text, flow);
    return flow;
  }
}

/** What is played when every end of every conversation is gone. */
const NOTHING: Flow = { verdict: 'VERDICT_UNKNOWN', Type: 'L3_L4', Summary: 'no endpoint is left to speak' };
