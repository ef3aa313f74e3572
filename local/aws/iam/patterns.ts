/** Wildcards and policy variables. */

/** Condition values by key in lower case: IAM ignores the case of keys. */
export type RequestContext = Readonly<Record<string, string>>;

/** A piece of a pattern: literal text or a wildcard. */
type Piece = { text: string } | { wildcard: "*" | "?" };

/** Colons separate the six parts of an ARN; the last one may contain colons. */
const LAST_SEGMENT = 5;

/**
 * `${name}`, `${name, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters themselves.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * @returns undefined when a variable has no value: the statement then does not apply
 */
function piecesOf(pattern: string, context: RequestContext | undefined): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (const [part] of pattern.matchAll(/\$\{[^}]*\}|[*?]|[^*?$]+|\$/g)) {
    if (part === "*" || part === "?") pieces.push({ wildcard: part });
    else if (context === undefined || !part.startsWith("${")) pieces.push({ text: part });
    else {
      const value = resolveVariable(part.slice(2, -1), context);
      if (value === undefined) return undefined;
      pieces.push({ text: value });
    }
  }
  return pieces;
}

function resolveVariable(variable: string, context: RequestContext): string | undefined {
  const name = variable.trim();
  if (name === "*" || name === "?" || name === "$") return name;
  const [, key = name, orElse] = /^([^,\s]+)\s*,\s*'(.*)'$/.exec(name) ?? [];
  return context[key.toLowerCase()] ?? orElse;
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
const wildcardAnywhere = (wildcard: "*" | "?") => (wildcard === "*" ? ".*" : ".");
const isWhole = (source: string, text: string, flags = "s") => new RegExp(`^${source}$`, flags).test(text);

/** Replaces the variables. Wildcards stay as characters. */
export function resolveText(pattern: string, context: RequestContext | undefined): string | undefined {
  return piecesOf(pattern, context)
    ?.map((piece) => ("text" in piece ? piece.text : piece.wildcard))
    .join("");
}

export function matchesText(pattern: string, text: string, context: RequestContext | undefined): boolean {
  const pieces = piecesOf(pattern, context);
  if (pieces === undefined) return false;
  return isWhole(
    pieces.map((piece) => ("text" in piece ? escaped(piece.text) : wildcardAnywhere(piece.wildcard))).join(""),
    text,
  );
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html: the case is ignored. */
export function matchesAction(pattern: string, action: string): boolean {
  return isWhole(
    pattern
      .split(/([*?])/)
      .map((part) => (/^[*?]$/.test(part) ? wildcardAnywhere(part as "*" | "?") : escaped(part)))
      .join(""),
    action,
    "si",
  );
}

/**
 * A wildcard matches within its segment of the ARN. With `crossing`, a `*` at the end of a segment also matches colons:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
export function matchesArn(
  pattern: string,
  arn: string,
  { context, crossing }: { context: RequestContext | undefined; crossing: boolean },
): boolean {
  const pieces = piecesOf(pattern, context);
  if (pieces === undefined) return false;
  let segment = 0;
  const source = pieces.map((piece, index) => {
    if ("text" in piece) {
      segment += piece.text.split(":").length - 1;
      return escaped(piece.text);
    }
    const next = pieces[index + 1];
    const endsSegment = next === undefined || ("text" in next && next.text.startsWith(":"));
    if (segment >= LAST_SEGMENT || (crossing && piece.wildcard === "*" && endsSegment)) return wildcardAnywhere(piece.wildcard);
    return piece.wildcard === "*" ? "[^:]*" : "[^:]";
  });
  return isWhole(source.join(""), arn);
}
