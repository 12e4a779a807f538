/** The anchors of headings as GitHub makes them, so that a link works there and on the site. */
export class Slugs {
  readonly #seen = new Map<string, number>();

  /** The anchor of the next heading of a page, by its text without markup. */
  of(heading: string): string {
    const plain = heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const seen = this.#seen.get(plain);
    this.#seen.set(plain, (seen ?? -1) + 1);
    return seen === undefined ? plain : `${plain}-${seen + 1}`;
  }
}
