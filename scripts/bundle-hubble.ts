// What the verbs that ask a Hubble server run, beyond the core. The build keeps it in one chunk, see scripts/build.mjs.
import '../src/cli/hubble/log.ts';
import '../src/cli/hubble/server.ts';
import '../src/cli/hubble/settings.ts';
import '../src/hubble/protobuf/field-mask.ts';
import '../src/lib/timestamp.ts';
import '../src/render/hubble/flow.ts';
import '../src/render/hubble/flow-records.ts';
