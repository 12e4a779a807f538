/**
 * The encoding of a text that is not UTF-8 but UTF-16 or UTF-32, as editors and shells of Windows write it; undefined for
 * any other. It shows by a byte order mark, or by zeros where ASCII has none.
 */
export function wideEncoding(bytes: Uint8Array): string | undefined {
  const marked = MARKS.find(({ mark }) => mark.every((byte, i) => bytes[i] === byte));
  if (marked) return marked.encoding;
  // Characters of ASCII, and their zeros before or after them.
  const zeros = [...bytes.subarray(0, 8)].map((byte) => (byte === 0 ? '0' : 'x')).join('');
  return ZEROS.find(({ begin }) => zeros.startsWith(begin))?.encoding;
}

const MARKS = [
  { mark: [0xff, 0xfe, 0, 0], encoding: 'UTF-32LE' },
  { mark: [0, 0, 0xfe, 0xff], encoding: 'UTF-32BE' },
  { mark: [0xff, 0xfe], encoding: 'UTF-16LE' },
  { mark: [0xfe, 0xff], encoding: 'UTF-16BE' },
];

const ZEROS = [
  { begin: 'x000x000', encoding: 'UTF-32LE' },
  { begin: '000x000x', encoding: 'UTF-32BE' },
  { begin: 'x0x0', encoding: 'UTF-16LE' },
  { begin: '0x0x', encoding: 'UTF-16BE' },
];
