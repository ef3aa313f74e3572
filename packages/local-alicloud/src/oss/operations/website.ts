/**
 * The website configuration of a bucket: checked, stored and returned, without effect.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketwebsite
 */
import { invalidArgument, malformedXml } from "../oss-error";
import type { XmlFields, XmlValue } from "../xml";
import type { XmlElement } from "../xml-body";

const badValue = (name: string, value: string) => invalidArgument(`The value of ${name} is not valid.`, { name, value });

/** @throws OssError `MalformedXML`, `InvalidArgument` */
export function checkWebsite(document: XmlElement): void {
  const [index, error, rules] = ["IndexDocument", "ErrorDocument", "RoutingRules"].map((name) => document.first(name));
  if (index === undefined && error === undefined && rules === undefined)
    throw malformedXml("WebsiteConfiguration needs IndexDocument, ErrorDocument or RoutingRules.");
  const suffix = index?.required("Suffix").text;
  // aliyun-oss-go-sdk sends an empty one beside routing rules.
  const mayBeEmpty = rules !== undefined;
  if (suffix !== undefined && ((suffix === "" && !mayBeEmpty) || suffix.includes("/"))) throw badValue("Suffix", suffix);
  if (error !== undefined && error.required("Key").text === "" && !mayBeEmpty) throw badValue("Key", "");
  for (const rule of rules?.all("RoutingRule") ?? []) checkRule(rule);
}

function checkRule(rule: XmlElement): void {
  const number = rule.required("RuleNumber").text.trim();
  if (!/^[1-9]\d*$/.test(number)) throw badValue("RuleNumber", number);
  const redirect = rule.first("Redirect");
  if (redirect?.first("RedirectType")?.text.trim() !== "Mirror") return;
  const url = redirect.first("MirrorURL")?.text.trim() ?? "";
  if (!/^https?:\/\/[^/]/.test(url)) throw badValue("MirrorURL", url);
}

const each = (value: XmlValue): XmlValue[] =>
  (value === undefined ? [] : Array.isArray(value) ? [...value] : [value]) as XmlValue[];

/**
 * A mirror rule has every element of its query string, redirects and checks: the suites of aliyun-oss-go-sdk and oss2 expect these defaults,
 * and that `PassQueryString` is `MirrorPassQueryString`.
 */
function showRedirect(redirect: XmlFields): XmlFields {
  if (each(redirect.RedirectType)[0] !== "Mirror") return redirect;
  const query = redirect.MirrorPassQueryString ?? "false";
  const headers = each(redirect.MirrorHeaders).map((one) => ({ PassAll: "false", ...(one as XmlFields) }));
  return {
    MirrorFollowRedirect: "true",
    MirrorCheckMd5: "false",
    ...redirect,
    MirrorPassQueryString: query,
    PassQueryString: query,
    ...(headers.length === 0 ? {} : { MirrorHeaders: headers }),
  };
}

export function showWebsite({ RoutingRules, ...rest }: XmlFields): XmlFields {
  if (RoutingRules === undefined) return rest;
  const shown = each(RoutingRules).map((rules) => ({
    RoutingRule: each((rules as XmlFields).RoutingRule).map((rule) => {
      const { Redirect, ...others } = rule as XmlFields;
      return { ...others, Redirect: each(Redirect).map((redirect) => showRedirect(redirect as XmlFields)) };
    }),
  }));
  return { ...rest, RoutingRules: shown };
}
