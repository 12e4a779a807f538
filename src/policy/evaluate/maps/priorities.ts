import type { PartLevel } from './direction-policy.ts';

/** Agents give a tier room in steps of this size, so that a new rule seldom moves the others. */
const STEP = 10;

/** The priorities that the datapath compares, lower first: those of the levels, and of what holds when no rule does. */
export interface Priorities {
  /** By index of the level. */
  levels: readonly number[];
  /** The first and the second rule of the default tier. */
  defaults: number;
  /** First priority of each level's tier, and of the tier that follows it. */
  tiers: readonly { first: number; next: number }[];
}

interface Tier {
  /** Indices of its levels. */
  levels: number[];
  /** How many of them have a rule that passes. */
  passes: number;
}

/**
 * Numbers the levels of one direction as agents of 1.20 do: each tier has room for its own levels, and below every level
 * that passes for all of the next tier. `defaults` says whether there is a rule of the default tier.
 */
export function prioritiesOf(levels: readonly PartLevel[], defaults: boolean): Priorities {
  const tiers = tiersOf(levels);
  const sizes: number[] = [];
  let below = defaults ? STEP : 0;
  for (const { levels: own, passes } of tiers.toReversed()) {
    below = roundUp(roundUp(own.length) + (passes + 1) * below);
    sizes.unshift(below);
  }
  const numbers: number[] = [];
  const bounds: { first: number; next: number }[] = [];
  let first = 0;
  for (const [i, { levels: own }] of tiers.entries()) {
    const following = sizes[i + 1] ?? (defaults ? STEP : 0);
    const next = first + (sizes[i] ?? 0) - following;
    let priority = first;
    for (const index of own) {
      numbers[index] = priority;
      bounds[index] = { first, next };
      priority += passesAt(levels[index]) ? following + 1 : 1;
    }
    first = next;
  }
  return { levels: numbers, defaults: first, tiers: bounds };
}

function roundUp(count: number): number {
  return Math.ceil(count / STEP) * STEP;
}

function tiersOf(levels: readonly PartLevel[]): Tier[] {
  const tiers = new Map<number, Tier>();
  for (const [i, level] of levels.entries()) {
    const tier = tiers.get(level.tier) ?? { levels: [], passes: 0 };
    tiers.set(level.tier, tier);
    tier.levels.push(i);
    if (passesAt(level)) tier.passes++;
  }
  return [...tiers.values()];
}

function passesAt(level: PartLevel | undefined): boolean {
  return level?.parts.some(({ pass }) => pass) ?? false;
}
