/** Reads and deletes everything in a bucket, a page at a time, also what a listing of objects does not show. */

export interface Upload {
  key: string;
  uploadId: string;
}

/** A version or a delete marker. In a bucket that never kept versions the id is `null`, as a text. */
export interface Version {
  key: string;
  versionId: string;
}

export interface Refusal {
  key: string;
  reason: string;
}

export interface BucketContents {
  /** The first page of unfinished uploads. */
  uploads(signal: AbortSignal): Promise<Upload[]>;
  /** Succeeds for an upload that is gone. */
  abort(upload: Upload, signal: AbortSignal): Promise<void>;
  /** The first page of versions and delete markers. */
  versions(signal: AbortSignal): Promise<Version[]>;
  /** Resolves to those that the store refused to delete. */
  remove(versions: readonly Version[], signal: AbortSignal): Promise<Refusal[]>;
  close(): Promise<void>;
}
