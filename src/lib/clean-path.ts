/** A part that is empty, `.` or `..`, or a slash at the end. */
const UNCLEAN = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** The shortest path that means the same, by its text alone, as Go's path.Clean. */
export function cleanPath(path: string): string {
  if (!UNCLEAN.test(path)) return path;
  const isRooted = path.startsWith('/');
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (!isRooted) parts.push(part);
  }
  return (isRooted ? '/' : '') + parts.join('/') || '.';
}
