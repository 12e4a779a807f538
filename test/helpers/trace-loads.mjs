// Preloaded into a bundle: writes to the file that TRACE_LOADS names which files and modules of Node's a run loaded.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const files = [];
const before = new Set(process.moduleLoadList);
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.push(new URL(url).pathname);
    return next(url, context);
  },
});
process.on('exit', () => {
  const builtins = process.moduleLoadList
    .filter((name) => name.startsWith('NativeModule ') && !before.has(name))
    .map((name) => name.slice('NativeModule '.length));
  writeFileSync(process.env.TRACE_LOADS, JSON.stringify({ files, builtins }));
});
