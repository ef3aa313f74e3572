/** All tags of a resource, the provider's default tags included. */
export function tagsAllOf(inputs: object): Record<string, string> {
  return ("tagsAll" in inputs ? inputs.tagsAll : {}) as Record<string, string>;
}

export function tagList(tags: Record<string, string>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Names that the new tags no longer have. */
export function removedTags(news: Record<string, string>, olds: Record<string, string>): string[] {
  return Object.keys(olds).filter((name) => news[name] === undefined);
}
