/** Parses the one document of a small YAML file, such as a configuration. Throws an error that says what is wrong. */
export async function parseYamlText(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { logLevel: 'error' });
  } catch (cause) {
    // The parser makes an error of its text of a stack that is exhausted.
    if (cause instanceof Error && !cause.message.includes('call stack')) throw cause;
    throw new SyntaxError('its parts are nested too deeply to be read', { cause });
  }
}
