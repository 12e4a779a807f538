/** What is expected of one action. */
export interface Expectation {
  /** Exit code of the command: `any` means one that is not 0. */
  exit: number | 'any';
  /** Its packets are dropped, and Hubble shows it. */
  drop?: 'egress' | 'ingress' | 'either';
  /** Why they are dropped. */
  reason?: 'POLICY_DENIED' | 'POLICY_DENY' | 'AUTH_REQUIRED' | 'UNENCRYPTED_TRAFFIC';
}

/** Exit codes of curl. */
export const CURL = { resolve: 6, refused: 7, http: 22, timeout: 28, ssl: 35 } as const;

const DENIED = { exit: 'any', reason: 'POLICY_DENIED' } as const;
const DENY = { exit: 'any', reason: 'POLICY_DENY' } as const;

/** The expectations that the catalogue names, of one side. */
const SIDES: Readonly<Record<string, Expectation>> = {
  OK: { exit: 0 },
  None: { exit: 0 },
  DNSOK: { exit: 0 },
  DNSOKDropCurlTimeout: { exit: CURL.timeout, drop: 'either' },
  DNSOKDropCurlHTTPError: { exit: CURL.http },
  CurlTimeout: { exit: CURL.timeout },
  CurlHTTPError: { exit: CURL.http },
  CurlSSLError: { exit: CURL.ssl },
  Drop: { exit: 'any', drop: 'either' },
  DropAuthRequired: { exit: 'any', drop: 'either', reason: 'AUTH_REQUIRED' },
  DropCurlTimeout: { exit: CURL.timeout, drop: 'either' },
  DropCurlHTTPError: { exit: CURL.http },
  PolicyDenyEgressDrop: { ...DENY, drop: 'egress' },
  DefaultDenyEgressDrop: { ...DENIED, drop: 'egress' },
  PolicyDenyIngressDrop: { ...DENY, drop: 'ingress' },
  DefaultDenyIngressDrop: { ...DENIED, drop: 'ingress' },
  AnyReasonEgressDrop: { exit: 'any', drop: 'egress' },
  IngressAnyReasonDrop: { exit: 'any', drop: 'ingress' },
  EgressUnencryptedDrop: { exit: CURL.timeout, drop: 'egress', reason: 'UNENCRYPTED_TRAFFIC' },
};

/** What is expected of an action whose sides are these: the command fails where one of them has it fail. */
export function expectationOf(egress: string, ingress: string): Expectation {
  const [out, into] = [SIDES[egress], SIDES[ingress]];
  if (!out || !into) throw new Error(`no expectation ${egress} / ${ingress}`);
  if (out.exit === 0) return into;
  if (into.exit === 0) return out;
  // The more exact one says which code it is.
  const exit = out.exit === 'any' ? into.exit : out.exit;
  return { ...out, ...(into.drop && { ...into }), exit };
}

/**
 * The code that a command really ended with: an exec may say success although curl printed its error
 * (`curl: (28) …`).
 */
export function trueExit(exitCode: number, stderr: string): { code: number; recovered: boolean } {
  const told = /^curl: \((\d+)\)/m.exec(stderr)?.[1];
  if (exitCode !== 0 || told === undefined || told === '0') return { code: exitCode, recovered: false };
  return { code: Number(told), recovered: true };
}

/** How a command ended. */
export interface Ended {
  argv: readonly string[];
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Why an action failed, in the words of the reference; undefined when it went as expected. */
export function failureOf({ exit }: Expectation, ended: Ended): string | undefined {
  const { code, recovered } = trueExit(ended.exitCode, ended.stderr);
  const command = `command "${ended.argv.join(' ')}"`;
  if (exit === 0) {
    if (code !== 0) return `${command} failed: ${wordsOf(code, ended.stderr || ended.stdout)}`;
    const isTold = ended.argv[0] === 'curl';
    return isTold && ended.stdout.trim() === ''
      ? `inconclusive results: ${command} was successful but without output`
      : undefined;
  }
  if (code === 0) return `${command} succeeded while it should have failed: ${ended.stdout.trim()}`;
  if (exit === 'any' || exit === code) return undefined;
  return recovered
    ? `${command} failed with unexpected exit code (recovered from lost exit status): expected ${exit}, found ${code}`
    : `${command} failed with unexpected exit code: ${wordsOf(code, ended.stderr)} (expected ${exit}, found ${code})`;
}

function wordsOf(code: number, stderr: string): string {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return `command terminated with exit code ${code}${last && `: ${last}`}`;
}

/** The text form of an expectation, for the logs. */
export function expectationText({ exit, drop, reason }: Expectation): string {
  const verdict = exit === 0 ? 'Allow' : 'Drop';
  const side = drop && drop !== 'either' ? ` at ${drop}` : '';
  const code = exit === 0 ? '' : ` (exit ${exit === 'any' ? 'any but 0' : exit})`;
  return `${verdict}${side}${reason ? `, ${reason}` : ''}${code}`;
}
