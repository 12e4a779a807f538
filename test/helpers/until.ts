/** Looks again and again until there is something to see. */
export async function until<T>(look: () => Promise<T | undefined | false>, limitMs = 60_000): Promise<T> {
  for (const end = Date.now() + limitMs; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((wait) => setTimeout(wait, 25));
  }
  throw new Error('it did not come about in time');
}
