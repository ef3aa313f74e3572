/** The part of xml2js that is used here; the package brings no types. */
declare module "xml2js" {
  interface ParserOptions {
    /** Every child becomes an array, so that one and many read the same. */
    explicitArray?: boolean;
    ignoreAttrs?: boolean;
    strict?: boolean;
    /** False keeps the white space of a text. */
    trim?: boolean;
    normalize?: boolean;
    emptyTag?: string;
  }
  export function parseStringPromise(xml: string, options?: ParserOptions): Promise<unknown>;
}
