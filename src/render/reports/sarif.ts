import { type Check, type Remark, type Report, remarksOf } from '../../model/report.ts';
import { goJson } from '../text/json.ts';
import type { Locate } from './place.ts';

/** The root of the repository, in the words of SARIF. */
const ROOT = 'SRCROOT';

/** SARIF 2.1.0. What is no file is a logical location. */
export function renderSarif(report: Report, version: string, locate: Locate): string {
  const remarks = remarksOf(report);
  const rules = [...new Set(remarks.map(({ remark }) => remark.rule))].toSorted();
  return `${goJson(
    {
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: [
        {
          tool: {
            driver: {
              name: report.tool,
              version,
              rules: rules.map((id) => ({ id, shortDescription: { text: sentence(id) } })),
            },
          },
          automationDetails: { id: `${report.tool.replaceAll(' ', '-')}/` },
          columnKind: 'utf16CodeUnits',
          results: remarks.map(({ check, remark }) => ({
            ruleId: remark.rule,
            ruleIndex: rules.indexOf(remark.rule),
            level: remark.level,
            message: { text: messageOf(remark) },
            locations: [locationOf(check, remark, locate)],
          })),
        },
      ],
    },
    2,
  )}\n`;
}

/** `unknown-field` as a sentence. */
function sentence(id: string): string {
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function messageOf({ message, hint, details = [] }: Remark): string {
  return [hint ? `${message}. ${hint}` : message, ...details].join('\n');
}

function locationOf({ name }: Check, { position }: Remark, locate: Locate): object {
  const place = position && locate(position.file);
  if (!place || place.kind === 'object')
    return { logicalLocations: [{ fullyQualifiedName: (place?.name ?? name).toWellFormed() }] };
  const region = { startLine: position.line, startColumn: position.column };
  const artifactLocation =
    place.kind === 'inside'
      ? { uri: uriOf(place.name), uriBaseId: ROOT }
      : { uri: `file://${uriOf(place.name.replace(/^(?=[^/])/, '/'))}` };
  return { physicalLocation: { artifactLocation, region } };
}

/** The path of a URI: a colon in its first part would be taken for a scheme. */
function uriOf(path: string): string {
  return path
    .toWellFormed()
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/');
}
