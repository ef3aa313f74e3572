/** Reads the XML documents of S3 and OSS: elements with text. Attributes, comments and document types are ignored, so no entity is ever expanded. */
import { parse, type TNode } from "txml";

export class XmlElement {
  constructor(private readonly node: TNode) {}

  get name(): string {
    return this.node.tagName;
  }

  /** The text of this element, without that of its children. White space is kept. */
  get text(): string {
    const { children } = this.node;
    return children.length === 1 && typeof children[0] === "string"
      ? children[0]
      : children.filter((child) => typeof child === "string").join("");
  }

  /** The children of this name, in order. */
  all(name: string): XmlElement[] {
    return this.node.children.flatMap((child) =>
      typeof child !== "string" && child.tagName === name ? [new XmlElement(child)] : [],
    );
  }

  child(name: string): XmlElement | undefined {
    const found = this.node.children.find((child) => typeof child !== "string" && child.tagName === name);
    return found === undefined ? undefined : new XmlElement(found as TNode);
  }

  /** The text of the first child of this name; undefined where there is none. */
  textOf(name: string): string | undefined {
    return this.child(name)?.text;
  }
}

const OPTIONS = { keepWhitespace: true, decodeEntities: true, skipXmlDeclaration: true, selfClosingTags: [] };

/** The root of the document. Undefined for text that is no XML: a proxy answers with pages of its own. */
export function parseXml(document: string): XmlElement | undefined {
  let nodes: (TNode | string)[];
  try {
    nodes = parse(document, OPTIONS);
  } catch {
    return undefined;
  }
  const root = nodes.find((node): node is TNode => typeof node !== "string");
  return root === undefined ? undefined : new XmlElement(root);
}

/** Escapes text for an element. Tabs and line ends would change on their way as well. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\t\r\n]/g, (char) => `&#${char.charCodeAt(0)};`);
}
