/** Top-level keys whose value is text even when it looks like a number. */
const TEXT_KEYS: ReadonlySet<string> = new Set(["name", "token", "alarmTopicArn"]);

/** The engine hands every value over as text, structured ones as JSON. */
export function decodeSetting(key: string, text: string): unknown {
  if (TEXT_KEYS.has(key)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
