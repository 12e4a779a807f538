import { errorCode, systemReason, UserError } from '../../errors.ts';

/** What an error means for BPF objects, where the system's words would mislead. */
const WORDS: Readonly<Record<string, string>> = {
  ENOTSUPP: 'operation not supported by this kind of map',
  ENOLINK: 'the link is detached already',
};

const HINTS: Readonly<Record<string, string>> = {
  EPERM: 'BPF maps need root (CAP_BPF or CAP_SYS_ADMIN): run the command with sudo.',
  EACCES: 'BPF maps need root (CAP_BPF or CAP_SYS_ADMIN): run the command with sudo.',
  ENOSYS: 'This kernel was built without the bpf() system call (CONFIG_BPF_SYSCALL).',
};

/** Lists by id are given to fewer than the objects. */
const LIST_HINT =
  'Lists of BPF objects need CAP_SYS_ADMIN, and no seccomp profile that refuses bpf(): run the command with sudo, in a privileged container.';

/** A failed operation of the kernel on one object, said with verb and object. */
export class KernelError extends UserError {
  override name = 'KernelError';
  /** The errno's name, for branching. */
  readonly code: string;

  constructor(operation: string, cause: unknown) {
    const code = errorCode(cause) ?? '';
    const hint = code === 'EPERM' && operation.startsWith('list ') ? LIST_HINT : HINTS[code];
    super(`${operation}: ${WORDS[code] ?? systemReason(cause)}`, { cause, hint });
    this.code = code;
  }
}

/** Runs `work`; what fails names the operation. */
export function attempt<T>(operation: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new KernelError(operation, error);
  }
}
