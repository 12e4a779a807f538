// Preloaded into a bundle: writes to the file that TRACE_LOADS names which files and modules of Node's a run loaded, and
// which modules of the bundle's script it evaluated.
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const files = [];
const evaluated = [];
const before = new Set(process.moduleLoadList);
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.push(new URL(url).pathname);
    return next(url, context);
  },
});
// esbuild wraps a module of a script in an object that has one method, named as its file, and looks that up to run it.
const { getOwnPropertyNames } = Object;
Object.getOwnPropertyNames = (value) => {
  const names = getOwnPropertyNames(value);
  if (names.length === 1 && /^(?:src|node_modules)\//.test(names[0])) evaluated.push(names[0]);
  return names;
};
process.on('exit', () => {
  const builtins = process.moduleLoadList
    .filter((name) => name.startsWith('NativeModule ') && !before.has(name))
    .map((name) => name.slice('NativeModule '.length));
  writeFileSync(process.env.TRACE_LOADS, JSON.stringify({ files, evaluated, builtins }));
});
