/** A refusal with the status, code and message of OSS's error table. */
export class OssError extends Error {
  readonly status: number;
  readonly code: string;
  /** More elements of the error document, e.g. `{ Endpoint: "..." }`. */
  readonly details: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  /** The fine-grained code, for an error code with more than one cause. @default the one that `ecOf` knows */
  readonly ec: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { details?: Record<string, string>; headers?: Record<string, string>; ec?: string } = {},
  ) {
    super(message);
    this.name = "OssError";
    this.status = status;
    this.code = code;
    this.details = more.details ?? {};
    this.headers = more.headers ?? {};
    this.ec = more.ec;
  }
}

export const invalidArgument = (message: string, argument?: { name: string; value: string }, ec?: string) =>
  new OssError(400, "InvalidArgument", message, {
    details: argument === undefined ? {} : { ArgumentName: argument.name, ArgumentValue: argument.value },
    ...(ec === undefined ? {} : { ec }),
  });

export const accessDenied = (message: string, details: Record<string, string> = {}) =>
  new OssError(403, "AccessDenied", message, { details });

export const malformedXml = (
  message = "The XML you provided was not well-formed or did not validate against our published schema.",
  ec?: string,
) => new OssError(400, "MalformedXML", message, ec === undefined ? {} : { ec });

export const methodNotAllowed = (method: string, level: string) =>
  new OssError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {
    details: { Method: method, ResourceType: level },
  });

export const noSuchBucket = (bucket: string) =>
  new OssError(404, "NoSuchBucket", "The specified bucket does not exist.", { details: { BucketName: bucket } });

export const noSuchKey = (key: string, headers: Record<string, string> = {}) =>
  new OssError(404, "NoSuchKey", "The specified key does not exist.", { details: { Key: key }, headers });

export const noSuchVersion = (key: string, versionId: string) =>
  new OssError(404, "NoSuchVersion", "The specified version does not exist.", { details: { Key: key, VersionId: versionId } });

export const noSuchUpload = (uploadId: string) =>
  new OssError(
    404,
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { details: { UploadId: uploadId } },
  );

/** An archived object that is not restored. */
export const invalidObjectState = () =>
  new OssError(403, "InvalidObjectState", "The operation is not valid for the object's state.");

export const preconditionFailed = (condition: string) =>
  new OssError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.", {
    details: { Condition: condition },
  });
