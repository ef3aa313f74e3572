/** The content of an element: text or children. Undefined omits the element; an array repeats it. */
export type XmlValue = string | number | boolean | undefined | XmlFields | readonly XmlValue[];
export interface XmlFields {
  readonly [name: string]: XmlValue;
}

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;" };

const escapeText = (text: string) => text.replace(/[&<>"\r]/g, (character) => ESCAPES[character] ?? character);

function element(name: string, value: XmlValue): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((item: XmlValue) => element(name, item)).join("");
  return `<${name}>${typeof value === "object" ? fields(value as XmlFields) : escapeText(String(value))}</${name}>`;
}

const fields = (value: XmlFields) =>
  Object.entries(value)
    .map(([name, child]) => element(name, child))
    .join("");

/** An XML document. Elements keep the order of the fields. */
export const xmlDocument = (root: string, value: XmlFields): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value)}`;

/** OSS answers whole seconds, written with three zeros; its Python SDK refuses anything else. */
export const xmlTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}.000Z`;
