export type Tags = Readonly<Record<string, string>>;

/** As parameters of the APIs. */
export const tagList = (tags: Tags = {}): { Key: string; Value: string }[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

export interface TagCalls {
  tag(tags: Tags): Promise<unknown>;
  untag(keys: string[]): Promise<unknown>;
}

/** The provider removes tags first, then adds the new and changed ones. */
export async function changeTags(news: Tags = {}, olds: Tags = {}, { tag, untag }: TagCalls): Promise<void> {
  const gone = Object.keys(olds).filter((key) => !(key in news));
  const changed = Object.entries(news).filter(([key, value]) => olds[key] !== value);
  if (gone.length > 0) await untag(gone);
  if (changed.length > 0) await tag(Object.fromEntries(changed));
}
