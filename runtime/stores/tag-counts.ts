/**
 * Tells whether an answer to HEAD without a number of tags means that there are none. Both vendors send the number only where there is a tag, and
 * only to who may read tags. Other servers of their protocols do not send it at all. So none is certain only where the vendor has let this store read
 * tags, or where this store has seen a number.
 *
 * - https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 * - https://www.alibabacloud.com/help/en/oss/developer-reference/headobject
 */
export class TagCounts {
  private isSent = false;

  /** @param isVendor whether the endpoint is the vendor's own */
  constructor(private readonly isVendor: boolean) {}

  tagsWereRead(): void {
    if (this.isVendor) this.isSent = true;
  }

  /**
   * @param header the number in an answer about an object that is there
   * @returns undefined where it is not certain
   */
  read(header: string | undefined): number | undefined {
    if (header === undefined) return this.isSent ? 0 : undefined;
    if (!/^\d{1,4}$/.test(header)) return undefined;
    this.isSent = true;
    return Number(header);
  }
}
