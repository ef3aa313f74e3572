import { parseStringPromise } from "xml2js";
import { malformedXml } from "./oss-error";
import type { XmlFields, XmlValue } from "./xml";

/** oss2 sends `True`; OSS returns `true`. */
const canonical = (text: string): string => (/^(?:true|false)$/i.test(text) ? text.toLowerCase() : text);

/** One element of a request body. */
export class XmlElement {
  private readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }

  /** The text; empty for an element with children. */
  get text(): string {
    return typeof this.value === "string" ? this.value : "";
  }

  all(name: string): XmlElement[] {
    const { value } = this;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return [];
    return ((value as Record<string, unknown[]>)[name] ?? []).map((child) => new XmlElement(child));
  }

  first(name: string): XmlElement | undefined {
    return this.all(name)[0];
  }

  /** To store the element and return it later, booleans in lower case. The order of children with different names is lost. */
  toFields(): XmlFields {
    const { value } = this;
    if (typeof value !== "object" || value === null) return {};
    const kept = (child: unknown): XmlValue => (typeof child === "string" ? canonical(child) : new XmlElement(child).toFields());
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown[]>).map(([name, children]): [string, XmlValue] => [
        name,
        children.map(kept),
      ]),
    );
  }

  /** @throws OssError `MalformedXML` when the child is missing */
  required(name: string): XmlElement {
    const child = this.first(name);
    if (child === undefined) throw malformedXml(`The XML you provided lacks the element ${name}.`);
    return child;
  }
}

/** Characters that XML 1.0 does not allow, also as references. Keys may have them, and clients of OSS send them. */
const CONTROL_REFERENCE = /&#(?:x0*(1?[0-9a-f])|0*(\d|[12]\d|3[01]));/gi;

/** The parser takes these characters as they are, but refuses references to them. */
const withoutReferences = (text: string) =>
  text.replace(CONTROL_REFERENCE, (reference, hex: string | undefined, decimal: string | undefined) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    // XML allows a reference to a tab or a line break, and the parser keeps it apart from one that the document is laid out with.
    return code === 9 || code === 10 || code === 13 ? reference : String.fromCharCode(code);
  });

/**
 * @param ec the fine-grained code of the refusal
 * @throws OssError `MalformedXML` when it is not well-formed or its root has another name.
 */
export async function parseXmlBody(body: Buffer, root: string, ec?: string): Promise<XmlElement> {
  let parsed: unknown;
  try {
    parsed = await parseStringPromise(withoutReferences(body.toString("utf8")), {
      explicitArray: true,
      ignoreAttrs: true,
      strict: true,
    });
  } catch {
    throw malformedXml(undefined, ec);
  }
  if (typeof parsed !== "object" || parsed === null || !Object.hasOwn(parsed, root))
    throw malformedXml(`The XML you provided lacks the root element ${root}.`, ec);
  return new XmlElement((parsed as Record<string, unknown>)[root]);
}
