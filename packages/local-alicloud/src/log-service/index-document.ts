/** The index of a log store. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createindex */
import * as z from "zod";

const text = { token: z.array(z.string()), caseSensitive: z.boolean().default(false), chn: z.boolean().default(false) };
const type = z.enum(["text", "long", "double", "json"]);
const key = z.object({
  type,
  alias: z.string().optional(),
  doc_value: z.boolean().optional(),
  token: text.token.optional(),
  caseSensitive: text.caseSensitive,
  chn: text.chn,
  json_keys: z.record(z.string(), z.object({ type, alias: z.string().optional(), doc_value: z.boolean().optional() })).optional(),
});

export const indexInput = z
  .object({
    line: z.object(text).optional(),
    keys: z.record(z.string(), key).optional(),
    max_text_len: z.number().int().min(64).max(16_384).optional(),
    log_reduce: z.boolean().optional(),
  })
  .refine(({ line, keys }) => line !== undefined || keys !== undefined, "an index needs line, keys or both");

export type IndexDocument = z.infer<typeof indexInput>;

interface TextSettings {
  caseSensitive?: boolean;
  includeChinese?: boolean;
  token?: string;
}
interface KeySettings extends TextSettings {
  name: string;
  type?: string;
  alias?: string;
  enableAnalytics?: boolean;
}

/** The index as the API gives it. One that a program created without the API has the settings of the infrastructure providers. */
export function indexDocument(settings: Record<string, unknown>): IndexDocument {
  if (settings.document !== undefined) return settings.document as IndexDocument;
  const { fullText, fieldSearches = [] } = settings as { fullText?: TextSettings; fieldSearches?: KeySettings[] };
  const textOf = ({ caseSensitive = false, includeChinese = false, token = "" }: TextSettings) => ({
    ...{ caseSensitive, chn: includeChinese, token: [...token] },
  });
  const keyOf = (one: KeySettings) => ({
    ...textOf(one),
    ...{ type: (one.type ?? "long") as z.infer<typeof type>, alias: one.alias, doc_value: one.enableAnalytics ?? true },
  });
  return {
    ...(fullText === undefined ? {} : { line: textOf(fullText) }),
    ...(fieldSearches.length === 0 ? {} : { keys: Object.fromEntries(fieldSearches.map((one) => [one.name, keyOf(one)])) }),
  };
}
