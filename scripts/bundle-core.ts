// What many verbs run: part of the script, beside what main, system and the hot verbs import. See scripts/bundle-hot.mjs.
import '../src/main.ts';
import '../src/system.ts';
import '../src/version.ts';
import '../src/agent/client.ts';
import '../src/agent/decode/answer.ts';
import '../src/agent/decode/reader.ts';
import '../src/agent/decode/shapes.ts';
import '../src/cli/answer.ts';
import '../src/cli/output.ts';
import '../src/lib/address.ts';
import '../src/lib/order.ts';
import '../src/render/text/duration.ts';
import '../src/render/text/json.ts';
import '../src/render/text/output.ts';
import '../src/render/text/sanitize.ts';
import '../src/render/text/table.ts';
