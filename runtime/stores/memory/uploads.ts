/** Uploads in parts of a `MemoryStore`. */
import type { Checksum, ChecksumAlgorithm } from "../../protocol/snapshot";
import { checksumOf, verifyChecksum } from "../checksums";
import { BridgeError } from "../errors";
import type { ObjectAttributes, PartId, StoreCapabilities, UploadedPart } from "../object-store";
import { md5Hex } from "./bucket";

interface StoredPart {
  bytes: Uint8Array;
  etag: string;
  checksum: Checksum | undefined;
}

interface Upload {
  key: string;
  attributes: ObjectAttributes;
  checksumAlgorithm: ChecksumAlgorithm | undefined;
  parts: Map<number, StoredPart>;
}

export interface OpenUpload {
  uploadId: string;
  key: string;
  parts: UploadedPart[];
}

export interface AssembledUpload {
  attributes: ObjectAttributes;
  checksumAlgorithm: ChecksumAlgorithm | undefined;
  bytes: Uint8Array;
  etag: string;
}

export class MemoryUploads {
  private readonly uploads = new Map<string, Upload>();

  constructor(
    private readonly capabilities: StoreCapabilities,
    private readonly nextId: () => string,
  ) {}

  create(key: string, attributes: ObjectAttributes, checksumAlgorithm: ChecksumAlgorithm | undefined): string {
    const uploadId = this.nextId();
    this.uploads.set(uploadId, { key, attributes, checksumAlgorithm, parts: new Map() });
    return uploadId;
  }

  addPart(key: string, { uploadId, partNumber }: PartId, bytes: Uint8Array, checksum: Checksum | undefined): UploadedPart {
    const upload = this.existing("uploadPart", key, uploadId);
    const { checksumAlgorithm } = upload;
    if (checksumAlgorithm !== undefined && checksum !== undefined && checksum.algorithm !== checksumAlgorithm)
      throw new BridgeError(
        "Invalid",
        "uploadPart",
        `this upload was created for ${checksumAlgorithm}, not ${checksum.algorithm}`,
      );
    const own = checksumAlgorithm && checksumOf(checksumAlgorithm, bytes);
    const part = { bytes, etag: md5Hex(bytes), checksum: checksum ?? own };
    upload.parts.set(partNumber, part);
    return describePart(partNumber, part);
  }

  parts(op: string, key: string, uploadId: string): UploadedPart[] {
    const { parts } = this.existing(op, key, uploadId);
    return [...parts].sort(([a], [b]) => a - b).map(([partNumber, part]) => describePart(partNumber, part));
  }

  /** The object that completion will write. The upload stays open, as it does after a refused completion. */
  assemble(key: string, uploadId: string, wanted: readonly UploadedPart[]): AssembledUpload {
    const upload = this.existing("completeUpload", key, uploadId);
    const parts = wanted.map(({ partNumber, etag }, index) => {
      const part = upload.parts.get(partNumber);
      if (part === undefined || part.etag !== etag)
        throw new BridgeError("Invalid", "completeUpload", `part ${partNumber} with etag ${etag} was not uploaded`);
      if (index < wanted.length - 1 && part.bytes.byteLength < this.capabilities.minPartSizeBytes)
        throw new BridgeError(
          "Invalid",
          "completeUpload",
          `part ${partNumber} is smaller than ${this.capabilities.minPartSizeBytes} bytes`,
        );
      return part;
    });
    return {
      attributes: upload.attributes,
      checksumAlgorithm: upload.checksumAlgorithm,
      bytes: Buffer.concat(parts.map(({ bytes }) => bytes)),
      etag: `${md5Hex(...parts.map(({ etag }) => Buffer.from(etag, "hex")))}-${parts.length}`,
    };
  }

  /** The checksum to store: the one given for completion after it is verified, else one of the declared algorithm. */
  verified({ bytes, checksumAlgorithm: declared }: AssembledUpload, given: Checksum | undefined): Checksum | undefined {
    if (given === undefined || !this.capabilities.multipartChecksums.includes(given.algorithm))
      return declared && checksumOf(declared, bytes);
    if (declared !== undefined && declared !== given.algorithm)
      throw new BridgeError("Invalid", "completeUpload", `this upload carries ${declared}, not ${given.algorithm}`);
    verifyChecksum("completeUpload", given, checksumOf(given.algorithm, bytes).value);
    return { ...given };
  }

  /** Forgets the upload, if there is one. */
  close(key: string, uploadId: string): void {
    if (this.uploads.get(uploadId)?.key === key) this.uploads.delete(uploadId);
  }

  open(): OpenUpload[] {
    return [...this.uploads].map(([uploadId, { key }]) => ({ uploadId, key, parts: this.parts("openUploads", key, uploadId) }));
  }

  private existing(op: string, key: string, uploadId: string): Upload {
    const upload = this.uploads.get(uploadId);
    if (upload === undefined || upload.key !== key)
      throw new BridgeError("NotFound", op, `no upload ${uploadId} of the key: it was completed, aborted or never created`);
    return upload;
  }
}

function describePart(partNumber: number, { bytes, etag, checksum }: StoredPart): UploadedPart {
  const part: UploadedPart = { partNumber, sizeBytes: bytes.byteLength, etag };
  if (checksum !== undefined) part.checksum = { ...checksum };
  return part;
}
