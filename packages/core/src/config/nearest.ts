import leven from "leven";

/** The known word that a misspelled one most likely means; undefined where none is near. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const each of known) {
    const distance = leven(word.toLowerCase(), each.toLowerCase());
    if (best === undefined || distance < best.distance) best = { word: each, distance };
  }
  if (best === undefined) return undefined;
  // Two letters that changed places are a distance of two.
  const isSwapped = letters(best.word) === letters(word);
  const limit = word.length < 4 && !isSwapped ? 1 : Math.max(2, Math.floor(word.length / 3));
  return best.distance <= limit ? best.word : undefined;
}

function letters(word: string): string {
  return Array.from(word.toLowerCase()).sort().join("");
}

/** `a`, `a or b`, `a, b or c`. */
export function anyOf(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1) ?? ""}`;
}
