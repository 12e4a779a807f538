import { readFile } from 'node:fs/promises';
import { agentAddress } from '../../agent/client.ts';
import { HttpClient, parseAddress, TransportError } from '../../agent/http/http.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

const PID_FILE = '/var/run/cilium/cilium.pid';
const HINT =
  'Stop the agent first (remove its DaemonSet, or keep it off this node), or add --even-if-agent-runs.';

/** Refuses while an agent answers on its socket, or the process of its pid file lives. */
export async function refuseWhileAgentRuns(ctx: Context): Promise<void> {
  const pid = (await readFile(PID_FILE, 'utf8').catch(() => '')).trim();
  if (/^\d+$/.test(pid) && (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')) !== '')
    throw new UserError(`Agent should not be running when cleaning up: process ${pid} of ${PID_FILE} lives`, {
      hint: HINT,
    });
  const address = agentAddress(ctx);
  const http = new HttpClient(parseAddress(address));
  try {
    await http.request({ method: 'GET', path: '/v1/healthz', headers: { brief: 'true' }, timeoutMs: 3000 });
  } catch (error) {
    if (error instanceof TransportError && ['no-socket', 'refused'].includes(error.fault)) return;
  } finally {
    await http.close();
  }
  throw new UserError(`Agent should not be running when cleaning up: something answers on ${address}`, {
    hint: HINT,
  });
}
