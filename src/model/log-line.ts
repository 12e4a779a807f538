/** How much a line of a log matters, from the least on. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A line of a component's log, whatever form it was written in. */
export interface LogLine {
  /** Absent of lines without one, such as those of a stack trace. */
  level?: LogLevel;
  /** The part of the program that wrote it: `subsys`, from 1.18 on `module`, of Envoy its logger. */
  subsystem?: string;
  message: string;
  /** What else it says, in its order. A name that is empty stands for text that is no field. */
  fields: readonly [name: string, value: unknown][];
  form: 'json' | 'logfmt' | 'envoy' | 'klog' | 'plain';
}

/** Where a line comes from. */
export interface LogOrigin {
  node: string;
  pod: string;
  container: string;
}
