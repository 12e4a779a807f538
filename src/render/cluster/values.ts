/** Values of a chart as YAML, as Helm itself prints them: keys in order, lists no deeper than their key. */
export async function valuesYaml(values: Record<string, unknown>): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(values, {
    version: '1.1',
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
}
