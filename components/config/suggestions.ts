/** Finds what a wrong value probably stands for. */

/** Other words for a cloud. */
const CLOUD_WORDS: Readonly<Record<string, string>> = {
  s3: "aws",
  amazon: "aws",
  china: "aws-cn",
  awschina: "aws-cn",
  oss: "alicloud",
  ali: "alicloud",
  alibaba: "alicloud",
  aliyun: "alicloud",
};

/** The edits that turn one text into the other: characters inserted, left out or replaced. */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/**
 * The known word that needs the fewest edits, or undefined when none is near. Case does not count.
 * @param edits that a short word may need
 */
export function closest(word: string, known: readonly string[], edits = 2): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, needed: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.needed - b.needed);
  const best = ranked[0];
  return best !== undefined && best.needed <= Math.max(edits, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

const plain = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Up to two choices that the value may stand for, the most likely one first. */
export function likelyChoices(value: unknown, choices: readonly string[]): string[] {
  if (typeof value !== "string" || value === "") return [];
  const [word = ""] = value.toLowerCase().split(/[^a-z0-9]/);
  const named = CLOUD_WORDS[plain(value)] ?? CLOUD_WORDS[word];
  if (named !== undefined && choices.includes(named)) return [named];
  const text = plain(value);
  const same = choices.find((choice) => plain(choice) === text);
  if (same !== undefined) return [same, ...choices.filter((choice) => choice.startsWith(`${same}_`))].slice(0, 2);
  const near = closest(value, choices, 1);
  const longer = text.length < 2 ? [] : choices.filter((choice) => plain(choice).includes(text));
  return [...new Set([...(near === undefined ? [] : [near]), ...longer])].slice(0, 2);
}

/** The question that goes in front of "allowed", or nothing. */
export const didYouMean = (words: readonly string[]): string =>
  words.length === 0 ? "" : ` did you mean ${words.join(" or ")}?`;

/**
 * The value that a person probably meant where the setting has another type, or undefined.
 * @param digits that a text of digits has at least: YAML drops zeros in front of a number
 */
export function asType(value: unknown, expected: string, digits = 0): string | undefined {
  const text = typeof value === "string" ? value.trim() : undefined;
  switch (expected) {
    case "number":
      return text !== undefined && /^-?\d+(?:\.\d+)?$/.test(text) ? `${Number(text)}, without quotes` : undefined;
    case "boolean":
      if (text !== undefined && /^(?:true|yes|on)$/i.test(text)) return "true, without quotes";
      return text !== undefined && /^(?:false|no|off)$/i.test(text) ? "false, without quotes" : undefined;
    case "string":
      return typeof value === "number" ? `"${String(value).padStart(digits, "0")}", in quotes` : undefined;
    case "array":
      return text !== undefined && text !== "" ? `[${JSON.stringify(text)}]` : undefined;
    default:
      return undefined;
  }
}
