import { Text as InkText, type TextProps } from 'ink';
import { Children, type ReactNode } from 'react';
import { sanitizeCell } from '../../../render/text/sanitize.ts';

/**
 * Text of the live screen, which Ink writes past `ctx.out`: the same door. Whatever stands in it is one line and steers no
 * terminal.
 */
export function Text({ children, ...props }: TextProps) {
  return <InkText {...props}>{Children.map(children, safe)}</InkText>;
}

function safe(child: ReactNode): ReactNode {
  return typeof child === 'string' ? sanitizeCell(child) : child;
}
