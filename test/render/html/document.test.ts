import { describe, expect, test } from '@jest/globals';
import type { PageDocument } from '../../../src/model/document.ts';
import { renderDocument } from '../../../src/render/html/document.ts';
import { html, htmlText } from '../../../src/render/html/markup.ts';
import { HOSTILE_NAMES } from '../../helpers/hostile-names.ts';

const PARTS = { script: 'alert(0)', style: 'b{}', hashes: { script: 'SCRIPT', style: 'STYLE' } };
const EMPTY: PageDocument = {
  title: 'A title',
  about: [],
  facts: [],
  sections: [],
  made: '2026-01-31T15:00:00.000Z',
  version: '1.0.0',
};

describe('markup', () => {
  test('takes all for text that it has not made', () => {
    const name = `<b a="1" c='2'>&`;
    expect(html`<i title="${name}">${name}</i>`.text).toBe(
      `<i title="${htmlText(name)}">${htmlText(name)}</i>`,
    );
    expect(htmlText(name)).not.toMatch(/[<>"']/);
    expect(html`${[html`<i>1</i>`, html`<i>2</i>`]}${3}`.text).toBe('<i>1</i><i>2</i>3');
    const forged = JSON.parse('{"text":"<b>"}') as string;
    expect(() => html`${forged}`).toThrow();
    expect(() => html`${[forged] as never}`).toThrow();
  });
});

describe('a document', () => {
  test('allows its own style and nothing else', () => {
    const page = renderDocument(EMPTY, PARTS);
    expect(page).toContain(
      `content="default-src 'none'; style-src 'sha256-STYLE'; base-uri 'none'; form-action 'none'"`,
    );
    expect(page).not.toContain('<script');
    expect(page.startsWith('<!doctype html>')).toBe(true);
  });

  test('shows marks with a sign, lines that belong to a cell, and what is empty', () => {
    const page = renderDocument(
      {
        ...EMPTY,
        facts: [{ name: 'pods', text: '3', mark: 'unknown' }],
        sections: [
          {
            title: 'Rows',
            heads: ['a', 'b'],
            rows: [[{ text: 'open', mark: 'bad', more: ['one', 'two'] }, 7]],
          },
          { title: 'Nothing', heads: ['a'], rows: [], empty: 'None.' },
          { title: 'Not there', heads: ['a'], rows: [] },
        ],
      },
      PARTS,
    );
    expect(page).toContain('<b class="unknown">? 3</b>');
    expect(page).toContain('<b class="bad">✕ open</b>');
    expect(page).toContain('<pre>one\ntwo\n</pre>');
    expect(page).toContain('<td class="number">7</td>');
    expect(page).toContain('None.');
    expect(page).not.toContain('Not there');
  });

  test('says how many rows it leaves out', () => {
    const rows = Array.from({ length: 5002 }, (_, i) => [i]);
    const page = renderDocument({ ...EMPTY, sections: [{ title: 'Many', heads: ['n'], rows }] }, PARTS);
    expect(page.match(/<tr>/g)).toHaveLength(5001);
    expect(page).toContain('2 more rows are not shown here.');
  });

  test.each(HOSTILE_NAMES.map((name) => [name.slice(0, 30), name] as const))(
    'keeps text that it is given text: %j',
    (_, name) => {
      const cell = { text: name, mark: 'bad', more: [name, name] } as const;
      const page = renderDocument(
        {
          title: name,
          about: [name],
          facts: [{ name, ...cell }],
          sections: [{ title: name, notes: [name], heads: [name], rows: [[name, cell]] }],
          made: name,
          version: name,
        },
        PARTS,
      );
      const calm = renderDocument(
        {
          title: 'x',
          about: ['x'],
          facts: [{ name: 'x', text: 'x', mark: 'bad', more: ['x', 'x'] }],
          sections: [
            {
              title: 'x',
              notes: ['x'],
              heads: ['x'],
              rows: [['x', { text: 'x', mark: 'bad', more: ['x'] }]],
            },
          ],
          made: 'x',
          version: 'x',
        },
        PARTS,
      );
      const elements = (text: string) =>
        [...text.matchAll(/<\/?([a-z0-9!]+)/g)]
          .map(([, tag = '']) => tag)
          .filter((tag) => !/details|summary/.test(tag));
      expect(elements(page)).toEqual(elements(calm));
      expect(page).not.toMatch(/[\u0000-\u0008\u001b\u202a-\u202e\u2066-\u2069\u2028\ud800]/);
    },
  );
});
