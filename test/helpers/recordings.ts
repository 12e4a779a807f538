import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** Where a file of fixtures/ lies. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
}

/** A fixture as text. */
export function fixtureText(name: string): string {
  const bytes = readFileSync(fixturePath(name));
  return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}

/** A fixture as JSON; the caller says what it holds. */
export function fixture<T>(name: string): T {
  return JSON.parse(fixtureText(name)) as T;
}

/** One recorded run of the reference in-agent CLI. */
export interface RestCase {
  argv: string[];
  /** Seconds since the epoch. */
  at: number;
  exit: number;
  stdout: string;
  stderr: string;
  exchanges: RestExchange[];
}

export interface RestExchange {
  request: { method: string; path: string; headers?: Record<string, string>; body?: string };
  response: { status: number; contentType?: string | null; body: string };
}
