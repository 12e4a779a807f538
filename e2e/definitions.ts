import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiServer } from './api-server.ts';

/** Tells the API server of a kind of Cilium's, and waits until it serves it. */
export async function addDefinition(server: ApiServer, plural: string): Promise<void> {
  const here = (path: string) => join(import.meta.dirname, path);
  const own = here(`crds/${plural}.json`);
  const file = existsSync(own) ? own : here(`../schemas/crds/1.20/${plural}.json`);
  const definition: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const made = await server.call('POST', path, definition);
  if (made.status !== 201) throw new Error(made.body);
  while ((await server.call('GET', `/apis/cilium.io/v2/${plural}`)).status !== 200) await sleep(100);
}
