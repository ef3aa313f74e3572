import { percentDecode } from "./names";
import { OssError } from "./oss-error";

const MAX_TAGS = 10;
/** Letters and digits of any script (the vendor's own clients write Chinese tags), space and `+ - = . _ : /`. */
const CHARACTERS = /^[\p{L}\p{M}\p{N} +\-=._:/]*$/u;

const invalidTag = (message: string) => new OssError(400, "InvalidTag", message);

/** @throws OssError `InvalidTag`. */
export function assertTagCharacters(name: string, value: string): void {
  if (CHARACTERS.test(name) && CHARACTERS.test(value)) return;
  throw invalidTag(`The tag ${name} has characters that are not allowed.`);
}

/** @throws OssError `InvalidTag`. https://www.alibabacloud.com/help/en/oss/developer-reference/putobjecttagging */
export function checkedTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  if (pairs.length > MAX_TAGS) throw invalidTag(`At most ${MAX_TAGS} tags are allowed, not ${pairs.length}.`);
  const tags: Record<string, string> = Object.create(null);
  for (const [name, value] of pairs) {
    if (name.length < 1 || name.length > 128 || value.length > 256)
      throw invalidTag("A tag's key has 1 to 128 characters, its value 0 to 256.");
    assertTagCharacters(name, value);
    if (name in tags) throw invalidTag(`The tag ${name} is given twice.`);
    tags[name] = value;
  }
  return { ...tags };
}

/** `x-oss-tagging: A=1&B=2`, names and values percent-encoded. */
export function parseTagging(header: string): Record<string, string> {
  const pairs = header
    .split("&")
    .filter((pair) => pair !== "")
    .map((pair): [string, string] => {
      const mark = pair.indexOf("=");
      const decode = (text: string) => percentDecode(text.replaceAll("+", "%20"), "x-oss-tagging");
      return mark === -1 ? [decode(pair), ""] : [decode(pair.slice(0, mark)), decode(pair.slice(mark + 1))];
    });
  return checkedTags(pairs);
}
