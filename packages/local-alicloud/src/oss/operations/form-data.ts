/** Reads the body of a form upload. https://www.rfc-editor.org/rfc/rfc7578 */
import { OssError } from "../oss-error";

const LINE = "\r\n";
const HEADERS_END = Buffer.from(LINE + LINE);
/** Of all fields before the file. https://www.alibabacloud.com/help/en/oss/user-guide/0006-00000112 */
const MAX_FIELDS_BYTES = 8 * 1024 * 1024;

const malformed = () =>
  new OssError(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.");

export interface FormPart {
  name: string;
  filename: string | undefined;
  contentType: string | undefined;
}

/** The boundary that a Content-Type names. @throws OssError `MalformedPOSTRequest` */
export function boundaryOf(contentType: string | undefined): string {
  const [, quoted, plain] = /^multipart\/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? "") ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw malformed();
  return boundary;
}

/**
 * Reads a form part by part: `next`, then `text` or `content`, then `next` again. All throw `MalformedPOSTRequest` when the body ends early or
 * has another form.
 */
export class FormReader {
  private readonly source: AsyncIterator<Buffer>;
  private readonly delimiter: Buffer;
  /** Read and not used yet. With this line break the first delimiter looks like the others. */
  private buffer: Buffer = Buffer.from(LINE);
  private begun = false;
  private fieldBytes = 0;

  constructor(source: AsyncIterable<Buffer>, boundary: string) {
    this.source = source[Symbol.asyncIterator]();
    this.delimiter = Buffer.from(`${LINE}--${boundary}`);
  }

  /** Undefined after the last part. */
  async next(): Promise<FormPart | undefined> {
    if (!this.begun) await this.until(this.delimiter);
    this.begun = true;
    while (this.buffer.byteLength < 2) if (!(await this.fill())) throw malformed();
    const mark = this.buffer.toString("latin1", 0, 2);
    this.buffer = this.buffer.subarray(2);
    if (mark === "--") return undefined;
    if (mark !== LINE) throw malformed();
    return partOf((await this.until(HEADERS_END)).toString("utf8"));
  }

  /** The content of the part as a text. */
  async text(): Promise<string> {
    return (await this.until(this.delimiter)).toString("utf8");
  }

  /** The content of the part as a stream. */
  async *content(): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.buffer.indexOf(this.delimiter);
      // The end of what was read may be the beginning of a delimiter.
      const length = at === -1 ? Math.max(0, this.buffer.byteLength - this.delimiter.byteLength + 1) : at;
      const piece = this.buffer.subarray(0, length);
      this.buffer = this.buffer.subarray(at === -1 ? length : at + this.delimiter.byteLength);
      if (length > 0) yield piece;
      if (at !== -1) return;
      if (!(await this.fill())) throw malformed();
    }
  }

  /** Reads and drops the rest of the body: a client that is still sending does not read the answer. */
  async drain(): Promise<void> {
    this.buffer = Buffer.alloc(0);
    while ((await this.source.next()).done !== true);
  }

  private async fill(): Promise<boolean> {
    const { value, done } = await this.source.next();
    if (done === true) return false;
    this.buffer = this.buffer.byteLength === 0 ? value : Buffer.concat([this.buffer, value]);
    return true;
  }

  private async until(end: Buffer): Promise<Buffer> {
    let from = 0;
    for (;;) {
      const at = this.buffer.indexOf(end, from);
      if (this.fieldBytes + (at === -1 ? this.buffer.byteLength : at) > MAX_FIELDS_BYTES)
        throw new OssError(400, "FieldItemTooLong", "Your post fields items size exceeds the maximum allowed size.", {
          details: { MaxSizeAllowed: String(MAX_FIELDS_BYTES) },
        });
      if (at !== -1) {
        const before = this.buffer.subarray(0, at);
        this.buffer = this.buffer.subarray(at + end.byteLength);
        this.fieldBytes += at;
        return before;
      }
      from = Math.max(0, this.buffer.byteLength - end.byteLength + 1);
      if (!(await this.fill())) throw malformed();
    }
  }
}

function partOf(head: string): FormPart {
  const headers = new Map(
    head.split(LINE).map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, Math.max(0, colon)).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const disposition = headers.get("content-disposition") ?? "";
  const parameter = (name: string): string | undefined => {
    const [, quoted, plain] = new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]*))`, "i").exec(disposition) ?? [];
    return quoted ?? plain;
  };
  const name = parameter("name");
  if (!/^form-data\s*;/i.test(disposition) || name === undefined) throw malformed();
  return { name, filename: parameter("filename"), contentType: headers.get("content-type") };
}
