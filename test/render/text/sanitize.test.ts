import { expect, test } from '@jest/globals';
import { paletteFor } from '../../../src/render/text/palette.ts';
import { forTerminal, ownSequence, sanitize } from '../../../src/render/text/sanitize.ts';
import { CLEAR_LINE, CLEAR_SCREEN } from '../../../src/render/text/screen.ts';
import fc from '../../helpers/properties.ts';

const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const evil = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\u001b[2J', '\u001b]0;x\u0007', '\u009b31m', '\r', '\b', '\u007f', '\u202e', '\u2028'),
    fc.constantFrom('\u061c', '\u200e', '\u2066', '\t', '\n', 'a', 'é', '…', '\ud800', '🙂', '\\', '['),
    fc.string({ unit: 'binary', maxLength: 2 }),
  ),
  maxLength: 30,
});

test('nothing that others wrote steers a terminal', () => {
  fc.assert(
    fc.property(evil, (text) => {
      const out = forTerminal(text);
      expect(out).not.toMatch(STEERS);
      expect(out).toBe(sanitize(text));
      // What is safe stays as it is, and is not escaped twice.
      expect(forTerminal(out)).toBe(out);
      if (!STEERS.test(text)) expect(out).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

test('our own colours pass, and what is within them does not', () => {
  const { good, bold } = paletteFor('always', {}, false);
  expect(forTerminal(good('a\u001b[31mb'))).toBe('\u001b[32ma^[[31mb\u001b[39m');
  expect(forTerminal(bold('a\nb'))).toBe('\u001b[1ma\u001b[22m\n\u001b[1mb\u001b[22m');
  expect(forTerminal(bold(''))).toBe('');
  expect(forTerminal(`${CLEAR_SCREEN}${CLEAR_LINE}x\r`)).toBe('\u001b[H\u001b[2J\r\u001b[Kx\\r');
});

test('what a mark was left of makes no sequence', () => {
  const mark = ownSequence('');
  for (let cut = 1; cut < mark.length; cut++)
    expect(forTerminal(`${mark.slice(0, cut)}[2J`)).toMatch(/^\^\[/);
});

test('within JSON the escapes from DEL on are the same value', () => {
  fc.assert(
    fc.property(evil, (text) => {
      expect(JSON.parse(forTerminal(JSON.stringify(text)))).toBe(text);
    }),
    { numRuns: 1000 },
  );
});
