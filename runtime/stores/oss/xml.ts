/**
 * OSS's XML: flat elements without attributes, whose text is escaped by entities. Reading it needs no parser, and a function starts faster
 * without one.
 */
const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\r\n]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (entity, decimal?: string, hex?: string, name?: string) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[name ?? ""] ?? entity;
  });
}

/** The content of every element of this name that is not empty, in order. The name must not hold regular-expression characters. */
export function xmlElements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map((match) => match[1] as string);
}

/** The text of the first element of this name; undefined where there is none. */
export function xmlText(xml: string, name: string): string | undefined {
  const inside = xmlElements(xml, name)[0];
  if (inside !== undefined) return unescapeXml(inside);
  return new RegExp(`<${name} ?/>`).test(xml) ? "" : undefined;
}
