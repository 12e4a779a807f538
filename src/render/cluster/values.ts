/** What would be read as something else than a text: YAML 1.1's words, numbers, dates. */
const NO_TEXT =
  /^(?:|~|null|true|false|yes|no|on|off|y|n|<<|[-+]?(?:0x[\da-f_]+|0b[01_]+|0o?[0-7_]+|\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|\.\d[\d_]*(?:e[-+]?\d+)?|\d+(?::[0-5]?\d)+(?:\.\d*)?|\.inf|\.nan)|\d{4}-\d\d?-\d\d?.*)$/i;

/** Values of a chart as YAML, as Helm itself prints them: keys in order, lists no deeper than their key. */
export async function valuesYaml(values: Record<string, unknown>): Promise<string> {
  const { Document, visit } = await import('yaml');
  const document = new Document(values, {
    version: '1.1',
    sortMapEntries: true,
    aliasDuplicateObjects: false,
  });
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value === 'string' && NO_TEXT.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ indentSeq: false, lineWidth: 0, singleQuote: true });
}
