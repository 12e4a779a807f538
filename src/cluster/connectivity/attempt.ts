import { endpointText } from './plan.ts';

/** What a try of a connection showed. */
export interface Attempt {
  tool: string;
  /** Undefined where the tool's words do not tell. */
  connected: boolean | undefined;
  detail: string;
}

/** A program of an image that can open a connection. */
export interface Tool {
  name: string;
  argv(ip: string, port: number, seconds: number): string[];
  read(ended: { exitCode: number; stdout: string; stderr: string }): Omit<Attempt, 'tool'>;
}

const last = (text: string) => text.trim().split('\n').at(-1) ?? '';

/** In the order in which they are tried: those first that tell more. */
export const TOOLS: readonly Tool[] = [
  {
    name: 'curl',
    argv: (ip, port, seconds) => [
      'curl',
      ...[
        '--silent',
        '--show-error',
        '--connect-timeout',
        String(seconds),
        '--max-time',
        String(seconds + 2),
      ],
      ...['-w', 'connected %{time_connect} status %{http_code}\\n', '--output', '/dev/null'],
      `http://${endpointText(ip, port)}/`,
    ],
    read: ({ exitCode, stdout, stderr }) => {
      const [, time = '0', status = '000'] = /connected ([\d.,]+) status (\d+)/.exec(stdout) ?? [];
      // Whatever was said after it: the connection stood.
      const connected = Number(time.replace(',', '.')) > 0 || exitCode === 0;
      const said =
        status === '000'
          ? connected
            ? 'no HTTP'
            : last(stderr) || `exit code ${exitCode}`
          : `HTTP ${status}`;
      return { connected, detail: said };
    },
  },
  {
    name: 'wget',
    argv: (ip, port, seconds) => [
      'wget',
      '-q',
      '-T',
      String(seconds),
      '-O',
      '/dev/null',
      `http://${endpointText(ip, port)}/`,
    ],
    read: ({ exitCode, stderr }) => {
      const words = last(stderr);
      if (exitCode === 0) return { connected: true, detail: 'HTTP answered' };
      if (exitCode === 8 || /server returned error|HTTP\/\d|error getting response/i.test(stderr))
        return { connected: true, detail: words || 'HTTP refused it' };
      if (/timed out|can't connect|refused|unreachable|no route/i.test(stderr) || exitCode === 4)
        return { connected: false, detail: words || `exit code ${exitCode}` };
      return { connected: undefined, detail: words || `exit code ${exitCode}` };
    },
  },
  {
    name: 'nc',
    argv: (ip, port, seconds) => ['nc', '-z', '-w', String(seconds), ip, String(port)],
    read: ({ exitCode, stderr }) => {
      if (exitCode === 0) return { connected: true, detail: 'the port is open' };
      if (/usage|invalid option|unrecognized option/i.test(stderr))
        return { connected: undefined, detail: last(stderr) };
      return { connected: false, detail: last(stderr) || `exit code ${exitCode}` };
    },
  },
  {
    name: 'bash',
    argv: (ip, port, seconds) => [
      'timeout',
      String(seconds),
      'bash',
      '-c',
      'exec 3<>"/dev/tcp/$0/$1"',
      ip,
      String(port),
    ],
    read: ({ exitCode, stderr }) => {
      if (exitCode === 0) return { connected: true, detail: 'the port is open' };
      // timeout(1) found no bash.
      if (exitCode === 127 || exitCode === 126) return { connected: undefined, detail: 'no bash' };
      if (exitCode === 124 || exitCode === 143) return { connected: false, detail: 'no answer in time' };
      return /\/dev\/tcp/.test(stderr) && /No such file/.test(stderr)
        ? { connected: undefined, detail: 'this bash has no /dev/tcp' }
        : { connected: false, detail: last(stderr) || `exit code ${exitCode}` };
    },
  },
];
