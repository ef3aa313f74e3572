/** Undefined for text that is no JSON: whoever then looks at the shape finds that it does not fit, and no message quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
