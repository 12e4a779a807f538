import type { Settings } from '../../../cli/hubble/settings.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { ProtoJsonError, parseProtoJson } from '../../../hubble/protobuf/protojson.ts';
import type { FlowFilter } from '../../../model/hubble.gen.ts';
import { goJson } from '../../../render/text/json.ts';
import { goYaml } from '../../../render/text/yaml.ts';
import type { FilterLists } from './filter-builder.ts';

/** Parses the values of --allowlist or --denylist: each one or more JSON objects, one behind the other. */
export function parseRawFilters(flag: 'allowlist' | 'denylist', texts: readonly string[]): FlowFilter[] {
  return texts.flatMap((text) =>
    splitObjects(text).map((object) => {
      try {
        return parseProtoJson('flow.FlowFilter', object);
      } catch (error) {
        if (!(error instanceof ProtoJsonError)) throw error;
        throw new UserError(`invalid --${flag} flag: failed to decode '${text}': ${errorMessage(error)}`, {
          hint: 'Expected a FlowFilter such as {"source_pod":["default/"]}; --print-raw-filters shows more.',
          cause: error,
        });
      }
    }),
  );
}

/** Cuts a run of JSON objects apart. What is no object stays whole, for the parser to refuse. */
function splitObjects(text: string): string[] {
  const objects: string[] = [];
  let depth = 0;
  let start = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
    if (match[0] === '{') depth++;
    else if (match[0] === '}' && --depth === 0) {
      const end = match.index + 1;
      objects.push(text.slice(start, end).trim());
      start = end;
    }
  }
  const rest = text.slice(start).trim();
  return rest === '' ? objects : [...objects, rest];
}

/** The filters as YAML: lists of JSON texts. */
export function renderRawFilters({ allow, deny }: FilterLists): string {
  const texts = (filters: readonly FlowFilter[]) => filters.map((filter) => goJson(filter));
  return goYaml({
    ...(allow.length > 0 && { allowlist: texts(allow) }),
    ...(deny.length > 0 && { denylist: texts(deny) }),
  });
}

/** Filters with those of --allowlist and --denylist, which the environment and the config file may give too. */
export function withRawFilters({ allow, deny }: FilterLists, settings: Settings): FilterLists {
  return {
    allow: [...allow, ...parseRawFilters('allowlist', settings.filters('allowlist'))],
    deny: [...deny, ...parseRawFilters('denylist', settings.filters('denylist'))],
  };
}
