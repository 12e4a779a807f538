import type { Context } from '../context.ts';

/** Whether this is run as a plugin of kubectl, whose launcher says so. */
export function isPlugin({ env }: Pick<Context, 'env'>): boolean {
  return env.CILIUM_CALLED_BY === 'kubectl';
}

/** Help, with the command lines in it as the user types them. */
export function helpAsCalled(text: string, ctx: Pick<Context, 'env'>): string {
  if (!isPlugin(ctx)) return text;
  const [usage = '', ...examples] = text
    .replace(/^Usage: (?=(?:cilium|hubble)\b)/m, 'Usage: kubectl ')
    .split('\nExamples:\n');
  const lines = examples.map((part) =>
    part.replace(/(^ {2}|\| |[$<]\()(?=(?:cilium|hubble) )/gm, (before) => `${before}kubectl `),
  );
  return [usage, ...lines].join('\nExamples:\n');
}

/** A hint or a complaint about words, with the command lines in it as the user types them: they stand in quotes or behind a colon. */
export function hintAsCalled(text: string, ctx: Pick<Context, 'env'>): string {
  return isPlugin(ctx)
    ? text.replace(/(["`]|: )(?=(?:cilium|hubble)[ "`])/g, (before) => `${before}kubectl `)
    : text;
}
