/** The agent's expression for a DNS pattern: `*` stays within a label, `*` alone takes every name. */
export function namePattern(pattern: string): string {
  const text = pattern.trim().toLowerCase().replace(/\.$/, '');
  if (text === '*') return '(^([-a-zA-Z0-9_]+[.])+$)|(^[.]$)';
  return `^${text.replaceAll('.', '[.]').replaceAll('*', '[-a-zA-Z0-9_]*')}[.]$`;
}

/** Whether text can be a DNS pattern at all. */
export function isNamePattern(pattern: string): boolean {
  return /^[-a-zA-Z0-9_.*]+$/.test(pattern.trim());
}

/** Tests names that end in a dot. */
export function nameExpression(pattern: string): RegExp {
  return new RegExp(namePattern(pattern));
}
