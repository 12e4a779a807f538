import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { validateXML } from 'xmllint-wasm';

const SCHEMAS = fileURLToPath(new URL('../../fixtures/schemas/', import.meta.url));

/** What a published JSON schema says against a value; empty where it is valid. */
export function schemaErrors(name: string, value: unknown): unknown[] {
  const schema = JSON.parse(readFileSync(`${SCHEMAS}${name}.json`, 'utf8'));
  // That of SARIF is of draft 4. It uses nothing that changed since but the names of these two.
  const { $schema, id, ...rest } = schema;
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateFormats: false,
    unicodeRegExp: false,
    logger: false,
  });
  const validate = ajv.compile($schema.includes('draft-04') ? rest : { id, ...rest });
  return validate(value) ? [] : (validate.errors ?? ['unknown']);
}

interface Region {
  startLine: number;
  startColumn: number;
}

export interface SarifResult {
  ruleId: string;
  level: string;
  message: { text: string };
  locations: {
    physicalLocation?: { artifactLocation: { uri: string; uriBaseId?: string }; region: Region };
    logicalLocations?: { fullyQualifiedName: string }[];
  }[];
}

/** The results of a SARIF text; throws where the schema refuses it. */
export function sarifResults(text: string): SarifResult[] {
  const value = JSON.parse(text);
  const errors = schemaErrors('sarif-2.1.0', value);
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  const [{ results, tool }] = value.runs;
  for (const { ruleId, ruleIndex } of results)
    if (tool.driver.rules[ruleIndex].id !== ruleId) throw new Error(`${ruleId} is not rule ${ruleIndex}`);
  for (const { locations } of results as SarifResult[])
    for (const { physicalLocation } of locations)
      if (physicalLocation) new URL(physicalLocation.artifactLocation.uri, 'file:///');
  return results;
}

/** What Jenkins' schema of JUnit says against a text. */
export async function junitErrors(text: string): Promise<readonly { message: string }[]> {
  const schema = { fileName: 'junit-10.xsd', contents: readFileSync(`${SCHEMAS}junit-10.xsd`, 'utf8') };
  return (await validateXML({ xml: { fileName: 'report.xml', contents: text }, schema })).errors;
}

/** A workflow command as the runner of GitHub reads it. */
export interface Annotation {
  command: string;
  properties: Record<string, string>;
  message: string;
}

/** The commands in what a step printed. Any other line must not look like one. */
export function annotationsOf(text: string): Annotation[] {
  return text.split(/\r\n|\r|\n/).flatMap((line) => {
    const found = /^::(\w+) (.*?)::(.*)$/.exec(line);
    if (!found) {
      if (/::|##\[/.test(line)) throw new Error(`half a command: ${line}`);
      return [];
    }
    const [, command = '', given = '', message = ''] = found;
    const properties = given.split(',').map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return [
        pair.slice(0, at),
        unescaped(
          pair
            .slice(at + 1)
            .replaceAll('%3A', ':')
            .replaceAll('%2C', ','),
        ),
      ];
    });
    return [{ command, properties: Object.fromEntries(properties), message: unescaped(message) }];
  });
}

function unescaped(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}
