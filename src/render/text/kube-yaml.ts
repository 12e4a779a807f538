import { isRecord } from '../../lib/record.ts';
import { compareYamlKeys, scalar } from './yaml.ts';

/** YAML as kubectl writes it: keys in order, steps of two columns, the dashes of a list below its key. Ends with a newline. */
export function kubeYaml(value: unknown, indent = 0): string {
  const out: string[] = [];
  write(out, value, indent, false);
  return out.join('');
}

/** Writes a value from the cursor on; `isInline` when its first line has begun. */
function write(out: string[], value: unknown, indent: number, isInline: boolean): void {
  const pad = ' '.repeat(indent);
  if (Array.isArray(value) && value.length > 0) {
    value.forEach((item, i) => {
      out.push(i > 0 || !isInline ? `${pad}- ` : '- ');
      write(out, item, indent + 2, true);
    });
    return;
  }
  const keys = isRecord(value) ? Object.keys(value).filter((key) => value[key] !== undefined) : [];
  if (!isRecord(value) || keys.length === 0) {
    out.push(Array.isArray(value) ? '[]' : isRecord(value) ? '{}' : plain(value, indent), '\n');
    return;
  }
  keys.sort((a, b) => compareYamlKeys(a, b, 'v2'));
  keys.forEach((key, i) => {
    out.push(i > 0 || !isInline ? pad : '', scalar(key, 0), ':');
    const child = value[key];
    const isList = Array.isArray(child) && child.length > 0;
    const isMap = isRecord(child) && Object.values(child).some((one) => one !== undefined);
    if (isList || isMap) {
      out.push('\n');
      write(out, child, isList ? indent : indent + 2, false);
    } else {
      out.push(' ');
      write(out, child, indent + 2, true);
    }
  });
}

function plain(value: unknown, indent: number): string {
  // Of a text of nothing but ends of lines a block would have no line.
  return typeof value === 'string' && /^\n+$/.test(value)
    ? JSON.stringify(value)
    : scalar(value, indent, indent);
}
