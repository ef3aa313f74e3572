const MEMORY_URL = /^memory:\/\/([^/]+)\/([^/?]+)\?expires=(\d+)$/;

/** A stand-in for a presigned URL; whoever reads it decides what `expiresMs` means on its clock. */
export function memoryUrl(name: string, key: string, expiresMs: number): string {
  return `memory://${encodeURIComponent(name)}/${encodeURIComponent(key)}?expires=${expiresMs}`;
}

/** @throws Error when the URL is not one of `MemoryStore.presignGet`. */
export function parseMemoryUrl(url: string): { name: string; key: string; expiresMs: number } {
  const [, name, key, expires] = MEMORY_URL.exec(url) ?? [];
  if (name === undefined || key === undefined) throw new Error("not a URL of a memory store");
  return { name: decodeURIComponent(name), key: decodeURIComponent(key), expiresMs: Number(expires) };
}

/** The key that a presigned URL of a `MemoryStore` reads. */
export function memoryUrlKey(url: string): string {
  return parseMemoryUrl(url).key;
}
