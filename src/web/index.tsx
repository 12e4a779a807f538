import { render } from 'preact';
import type { TrafficReport } from '../model/traffic-report.ts';
import { App } from './app.tsx';
import { safeReport } from './door.ts';
import { follow } from './live.ts';

/** The page begins: a report has its data within it, a served page asks for them. */
async function start(): Promise<void> {
  const root = document.getElementById('page');
  if (!root) return;
  const embedded = document.getElementById('data')?.textContent;
  if (embedded) {
    render(<App report={safeReport(JSON.parse(embedded) as TrafficReport)} connection={undefined} />, root);
    return;
  }
  follow((report, connection) => render(<App report={report} connection={connection} />, root));
}

void start();
