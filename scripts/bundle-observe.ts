// What `observe` runs, of a server and of files, beyond that. The build keeps it in one chunk, see scripts/build.mjs.
import '../src/commands/hubble/observe/declare.ts';
import '../src/commands/hubble/observe/source-file.ts';
import '../src/commands/hubble/observe/source-server.ts';
