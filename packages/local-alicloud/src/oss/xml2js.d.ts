/** The little of xml2js that the request bodies need; the package brings no types. */
declare module "xml2js" {
  interface ParserOptions {
    /** Every child becomes an array, so that one and many read the same. */
    explicitArray?: boolean;
    ignoreAttrs?: boolean;
    strict?: boolean;
    /** Keeps white space that is a key's own. */
    trim?: boolean;
    normalize?: boolean;
    emptyTag?: string;
  }
  export function parseStringPromise(xml: string, options?: ParserOptions): Promise<unknown>;
}
