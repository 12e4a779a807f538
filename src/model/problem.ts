/** How bad a problem is, the milder one first: it may become one, or it is one now. */
export const FAULT_LEVELS = ['warning', 'degraded'] as const;
export type FaultLevel = (typeof FAULT_LEVELS)[number];

/** Worst is a part of the status that the answer does not have: it may hide anything. */
export const PROBLEM_LEVELS = [...FAULT_LEVELS, 'unknown'] as const;
export type ProblemLevel = (typeof PROBLEM_LEVELS)[number];

/** One thing that is wrong with an agent, and what to do next. */
export interface Problem {
  level: ProblemLevel;
  /** The part of the status that shows it, such as `kvstore` or `controller`. */
  area: string;
  /** Name of the one thing in that area; empty where there is only one. */
  subject: string;
  message: string;
  next: string;
}

/** The worse of all; undefined when there are none. */
export function worstOf(problems: readonly Problem[]): ProblemLevel | undefined {
  return PROBLEM_LEVELS.findLast((level) => problems.some((problem) => problem.level === level));
}
