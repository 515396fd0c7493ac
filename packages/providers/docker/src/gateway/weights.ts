/** HAProxy's largest. */
const largest = 256;

/**
 * Percents as HAProxy's whole weights: the smallest ones that come nearest. Zero stays zero, and what is above gets at least 1.
 */
export function wholeWeights(percents: readonly number[]): readonly number[] {
  const sum = percents.reduce((total, each) => total + each, 0);
  const most = Math.max(0, ...percents);
  if (most === 0) return percents.map(() => 0);
  let best: { readonly error: number; readonly weights: readonly number[] } | undefined;
  for (let scale = 1; scale <= largest; scale += 1) {
    const weights = percents.map((each) => (each > 0 ? Math.max(1, Math.round((each * scale) / most)) : 0));
    const total = weights.reduce((all, each) => all + each, 0);
    const error = Math.max(...weights.map((each, index) => Math.abs(each / total - (percents[index] ?? 0) / sum)));
    // Rounding of floating point must not win over a smaller scale.
    if (best === undefined || error < best.error - 1e-9) best = { error, weights };
  }
  return best?.weights ?? [];
}
