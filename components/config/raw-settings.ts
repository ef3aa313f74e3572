/** Top-level keys whose value is text even when it looks like a number. */
const TEXT_KEYS: ReadonlySet<string> = new Set(["name", "token", "alarmTopicArn", "alarmWebhookUrl", "alarmWebhookSecret"]);

/**
 * Selects a stack's values under this project's namespace, unknown keys included. Pulumi.yaml declares "" for settings without a default.
 * @param values each a value, or text as the engine passes it; structured values are JSON
 */
export function rawSettings(namespace: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(values)
      .filter(([name, value]) => name.startsWith(prefix) && value !== "")
      .map(([name, value]) => [name.slice(prefix.length), value] as const)
      .map(([key, value]) => [key, typeof value === "string" && !TEXT_KEYS.has(key) ? decoded(value) : value]),
  );
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
