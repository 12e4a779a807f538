import { Text as InkText, type TextProps } from 'ink';
import { Children, createContext, type ReactNode, useContext } from 'react';
import { sanitizeCell } from '../../../render/text/sanitize.ts';

/** Whether the screen has colours. What is bold or inverse is so in any case. */
export const InColor = createContext(true);

/**
 * Text of the live screen, which Ink writes past `ctx.out`: the same door. Whatever stands in it is one line and steers no
 * terminal.
 */
export function Text({ children, color, dimColor, ...props }: TextProps) {
  const inColor = useContext(InColor);
  const colors = inColor && { ...(color && { color }), ...(dimColor && { dimColor }) };
  return (
    <InkText {...props} {...colors}>
      {Children.map(children, safe)}
    </InkText>
  );
}

function safe(child: ReactNode): ReactNode {
  return typeof child === 'string' ? sanitizeCell(child) : child;
}
