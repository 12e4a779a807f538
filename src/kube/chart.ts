import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { UserError } from '../errors.ts';
import { isRecord } from '../lib/record.ts';
import { makeRunFolder, type RunFolder } from '../lib/run-folder.ts';

/**
 * The chart of a release in a folder, written out again from what Helm keeps in the cluster, so that nothing has to be fetched. Comments of
 * its values are not kept, and neither are charts within it, which Helm does not store.
 */
export async function writeChart(
  chart: Record<string, unknown>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<RunFolder> {
  const folder = await makeRunFolder(env.TMPDIR || tmpdir(), 'cilium-chart-');
  const { path } = folder;
  try {
    const { metadata, values, schema, templates, files } = chart;
    if (!isRecord(metadata) || metadata.name === undefined)
      throw new UserError('the release holds no chart: Helm cannot be given it again');
    await put(path, 'Chart.yaml', JSON.stringify(metadata));
    await put(path, 'values.yaml', JSON.stringify(values ?? {}));
    if (typeof schema === 'string' && schema !== '')
      await put(path, 'values.schema.json', Buffer.from(schema, 'base64'));
    for (const list of [templates, files])
      for (const file of Array.isArray(list) ? list.filter(isRecord) : [])
        if (typeof file.name === 'string' && typeof file.data === 'string')
          await put(path, file.name, Buffer.from(file.data, 'base64'));
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  return folder;
}

/** A name from the cluster must not lead out of the folder. */
async function put(folder: string, name: string, content: string | Buffer): Promise<void> {
  const inside = normalize(name);
  if (inside.startsWith('..') || inside.startsWith('/') || inside.includes('\0'))
    throw new UserError(`the chart of the release has a file outside of it: ${JSON.stringify(name)}`);
  await mkdir(join(folder, dirname(inside)), { recursive: true });
  await writeFile(join(folder, inside), content, { mode: 0o600 });
}
