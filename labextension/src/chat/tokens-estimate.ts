const CHARACTERS_PER_TOKEN = 4;

/** About how many tokens a text is: the vocabulary is the model's own. */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}
