import { parseStringPromise } from "xml2js";
import { malformedXml } from "./oss-error";
import type { XmlFields, XmlValue } from "./xml";

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

  /** To store the element and return it later. The order of children with different names is lost. */
  toFields(): XmlFields {
    const { value } = this;
    if (typeof value !== "object" || value === null) return {};
    const kept = (child: unknown): XmlValue => (typeof child === "string" ? child : new XmlElement(child).toFields());
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

/**
 * @param ec the fine-grained code of the refusal
 * @throws OssError `MalformedXML` when it is not well-formed or its root has another name.
 */
export async function parseXmlBody(body: Buffer, root: string, ec?: string): Promise<XmlElement> {
  let parsed: unknown;
  try {
    parsed = await parseStringPromise(body.toString("utf8"), { explicitArray: true, ignoreAttrs: true, strict: true });
  } catch {
    throw malformedXml(undefined, ec);
  }
  if (typeof parsed !== "object" || parsed === null || !Object.hasOwn(parsed, root))
    throw malformedXml(`The XML you provided lacks the root element ${root}.`, ec);
  return new XmlElement((parsed as Record<string, unknown>)[root]);
}
