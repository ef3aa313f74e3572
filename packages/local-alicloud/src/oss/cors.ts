/** Cross-origin requests of web pages. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketcors */
import type { BucketRecord } from "./store/model";
import type { XmlFields, XmlValue } from "./xml";

type Header = (name: string) => string | undefined;

const texts = (rule: XmlFields, name: string): string[] => {
  const values = rule[name] as XmlValue | readonly XmlValue[] | undefined;
  return (Array.isArray(values) ? values : [values])
    .filter((value): value is string => typeof value === "string")
    .map((value) => value.trim());
};

/** Whether a header may have this value: the parser of requests is lenient, and an answer repeats parts of the request. */
export const isHeaderText = (text: string): boolean => !/[^\t\x20-\x7e\x80-\xff]/.test(text);

/** A pattern has at most one `*`. */
function fits(pattern: string, text: string): boolean {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return pattern === text;
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

const rulesOf = ({ documents }: Readonly<BucketRecord>) => (documents?.cors?.CORSRule ?? []) as readonly XmlFields[];

/**
 * The headers that the first rule which fits the request adds to its answer; none without an Origin or such a rule, and none that HTTP
 * forbids.
 */
export function corsHeaders(record: Readonly<BucketRecord>, header: Header, method: string): Record<string, string> {
  const origin = header("origin");
  if (origin === undefined) return {};
  const wanted = (header("access-control-request-headers") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
  const rule = rulesOf(record).find(
    (one) =>
      texts(one, "AllowedOrigin").some((pattern) => fits(pattern, origin)) &&
      texts(one, "AllowedMethod").includes(method) &&
      wanted.every((name) => texts(one, "AllowedHeader").some((pattern) => fits(pattern.toLowerCase(), name))),
  );
  if (rule === undefined) return {};
  const any = texts(rule, "AllowedOrigin").includes("*");
  const exposed = texts(rule, "ExposeHeader").join(", ");
  const [maxAge] = texts(rule, "MaxAgeSeconds");
  const headers = {
    "access-control-allow-origin": any ? "*" : origin,
    "access-control-allow-methods": texts(rule, "AllowedMethod").join(", "),
    ...(wanted.length === 0 ? {} : { "access-control-allow-headers": wanted.join(", ") }),
    ...(exposed === "" ? {} : { "access-control-expose-headers": exposed }),
    ...(maxAge === undefined ? {} : { "access-control-max-age": maxAge }),
    ...(any ? {} : { vary: "Origin" }),
  };
  return Object.values(headers).every(isHeaderText) ? headers : {};
}
