/** How busy a node is. Sizes are in bytes. */
export interface NodeLoad {
  /** Of 1, 5 and 15 minutes. */
  average: number[] | undefined;
  memory: Memory | undefined;
  processes: ProcessLoad[];
}

export interface Memory {
  total: number;
  used: number;
  free: number;
  buffers: number;
  cached: number;
  swapTotal: number;
  swapFree: number;
}

export interface ProcessLoad {
  pid: number;
  name: string;
  /** The kernel's letter: R, S, D … */
  state: string;
  /** Of one CPU, since the process started. */
  cpuPercent: number;
  command: string[];
  resident: number;
  size: number;
  data: number;
  stack: number;
  locked: number;
  swap: number;
}
