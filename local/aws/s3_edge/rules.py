"""What S3 refuses and the emulator takes, as far as the request alone says it. This module knows nothing of the emulator.

Each rule names the page that states it. Where AWS documents a limit but not its error, the error is the one that public recordings of S3 show.
"""

import re
from dataclasses import dataclass, field
from unicodedata import category
from urllib.parse import unquote_to_bytes

MAX_KEY_BYTES = 1024
MAX_METADATA_BYTES = 2048
MAX_TAGS = 10
METADATA = "x-amz-meta-"
# Sub-resources of an object: a request that names one is no read or write of the object itself.
OBJECT_PARTS = ("acl", "annotation", "attributes", "legal-hold", "restore", "retention", "select", "tagging", "torrent")
PLAIN = {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
OF_TAGS = {"GET": "GetObjectTagging", "PUT": "PutObjectTagging", "DELETE": "DeleteObjectTagging"}
OF_UPLOADS = {"GET": "ListParts", "POST": "CompleteMultipartUpload", "DELETE": "AbortMultipartUpload"}
WRITES_HEADERS = {"PutObject", "CopyObject", "CreateMultipartUpload"}
CONDITIONAL_WRITES = {"PutObject", "CopyObject", "CompleteMultipartUpload"}
TAKES_NO_VERSION = {"PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload"}


@dataclass(frozen=True)
class Refusal:
    code: str
    message: str
    status: int = 400
    # Elements of the error document beside code and message.
    details: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request of S3 that is allowed, in path style. The names of headers are lower-case, a presigned URL's are among them."""

    method: str
    bucket: str
    key: str
    headers: dict
    body: bytes
    # Lists of values by name.
    query: dict

    @property
    def operation(self) -> str:
        return operation_of(self.method, self.bucket, self.key, self.headers, self.query)

    def parameter(self, name: str):
        """None without it, and the empty string without a value."""
        found = self.query.get(name)
        return next(iter(found), None) if isinstance(found, list) else found


def operation_of(method: str, bucket: str, key: str, headers: dict, query: dict) -> str:
    """The API's name of the operations that a rule is about; another text for all others."""
    if not bucket:
        return "ListBuckets" if method == "GET" else "service"
    if not key:
        if method == "POST" and headers.get("content-type", "").startswith("multipart/form-data"):
            return "PostObject"
        return "CreateBucket" if method == "PUT" and not query.keys() - {"x-id"} else "bucket"
    if "uploadId" in query:
        if method == "PUT":
            return "UploadPartCopy" if "x-amz-copy-source" in headers else "UploadPart"
        return OF_UPLOADS.get(method, "upload")
    if method == "POST" and "uploads" in query:
        return "CreateMultipartUpload"
    if "tagging" in query:
        return OF_TAGS.get(method, "tagging")
    if any(part in query for part in OBJECT_PARTS):
        return "part of an object"
    if method == "PUT":
        return "CopyObject" if "x-amz-copy-source" in headers else "PutObject"
    return PLAIN.get(method, "object")


def refusal_of(request: Request, is_anonymous: bool):
    """Why S3 refuses the request; None for one that it takes."""
    operation = request.operation
    if is_anonymous and operation in ("ListBuckets", "CreateBucket"):
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html: only an authenticated sender has buckets.
        return Refusal("AccessDenied", "Access Denied", 403)
    if refusal := long_key(request.key):
        return refusal
    if request.key and (refusal := _refused_version(operation, request)):
        return refusal
    if operation in WRITES_HEADERS:
        if refusal := _refused_headers(operation, request.headers):
            return refusal
    return _refused_condition(request.headers) if operation in CONDITIONAL_WRITES else None


def _refused_headers(operation: str, headers: dict):
    if operation == "CopyObject" and not replaces(headers, "metadata"):
        refusal = None
    else:
        refusal = large_metadata({name: value for name, value in headers.items() if name.startswith(METADATA)})
    if refusal is None and (operation != "CopyObject" or replaces(headers, "tagging")):
        refusal = tags_of_header(headers.get("x-amz-tagging", ""))[1]
    return refusal or (_refused_checksum(headers) if operation == "CreateMultipartUpload" else None)


def replaces(headers: dict, what: str) -> bool:
    return headers.get(f"x-amz-{what}-directive", "COPY").upper() == "REPLACE"


def long_key(key: str):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
    size = len(key.encode("utf-8", "surrogatepass"))
    if size <= MAX_KEY_BYTES:
        return None
    return Refusal("KeyTooLongError", "Your key is too long", details={"Size": str(size), "MaxSizeAllowed": str(MAX_KEY_BYTES)})


def large_metadata(headers: dict):
    """Names without their prefix count, and values. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html"""
    size = sum(len(name[len(METADATA):].encode()) + len(value.encode("utf-8", "surrogatepass")) for name, value in headers.items())
    if size <= MAX_METADATA_BYTES:
        return None
    details = {"Size": str(size), "MaxSizeAllowed": str(MAX_METADATA_BYTES)}
    return Refusal("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", details=details)


def _characters(text: str) -> int:
    """S3 counts tags in UTF-16."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_tag_text(text: str) -> bool:
    return all(category(character)[0] in "LNZ" or character in "+-=._:/@" for character in text)


def refused_tags(pairs: list):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    if len(pairs) > MAX_TAGS:
        return Refusal("BadRequest", "Object tags cannot be greater than 10")
    seen = set()
    for key, value in pairs:
        if not 1 <= _characters(key) <= 128 or not _is_tag_text(key):
            return Refusal("InvalidTag", "The TagKey you have provided is invalid", details={"TagKey": key})
        if _characters(value) > 256 or not _is_tag_text(value):
            return Refusal("InvalidTag", "The TagValue you have provided is invalid", details={"TagKey": key, "TagValue": value})
        if key.lower().startswith("aws:"):
            return Refusal("InvalidTag", "System tags cannot be added/updated by requester", details={"TagKey": key})
        if key in seen:
            return Refusal("InvalidTag", "Cannot provide multiple Tags with the same key", details={"TagKey": key})
        seen.add(key)
    return None


def tags_of_header(text: str):
    """The tags of `x-amz-tagging`, and why they are refused."""
    malformed = Refusal(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
        details={"ArgumentName": "x-amz-tagging", "ArgumentValue": text},
    )
    pairs = []
    for pair in filter(None, text.split("&")):
        key, _, value = pair.partition("=")
        try:
            pairs.append(tuple(unquote_to_bytes(part.replace("+", " ")).decode() for part in (key, value)))
        except UnicodeDecodeError:
            return {}, malformed
    tags = dict(pairs)
    if len(tags) < len(pairs) or "" in tags:
        return {}, malformed
    return tags, refused_tags(pairs)


VERSION_ID = re.compile(r"null|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_version_id(text: str) -> bool:
    """Whether the emulator could have given this id. S3 knows its own as well."""
    return VERSION_ID.fullmatch(text) is not None


def _refused_version(operation: str, request: Request):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_Error.html"""
    version = request.parameter("versionId")
    if version is None:
        return None
    details = {"ArgumentName": "versionId", "ArgumentValue": version}
    if operation in TAKES_NO_VERSION:
        return Refusal("InvalidArgument", "This operation does not accept a version-id.", details=details)
    if version == "":
        return Refusal("InvalidArgument", "Version id cannot be the empty string", details=details)
    return None if is_version_id(version) else Refusal("InvalidArgument", "Invalid version id specified", details=details)


def _refused_condition(headers: dict):
    """A write takes `If-None-Match: *` or `If-Match` with an etag.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    match, none_match = headers.get("if-match", "").strip(), headers.get("if-none-match", "").strip()
    if match and none_match:
        names, why = "If-Match,If-None-Match", "Multiple conditional request headers present in the request"
    elif none_match not in ("", "*") or match == "*":
        names = "If-None-Match" if none_match else "If-Match"
        why = f"We don't accept the provided value of {names} header for this API"
    else:
        return None
    message = "A header you provided implies functionality that is not implemented"
    return Refusal("NotImplemented", message, 501, {"Header": names, "additionalMessage": why})


ONLY_WHOLE = {"CRC64NVME"}
ONLY_COMPOSITE = {"SHA1", "SHA256"}


def checksum_type_of(algorithm, headers: dict) -> str:
    """The kind of checksum that an upload of this algorithm gets."""
    if algorithm in ONLY_WHOLE:
        return "FULL_OBJECT"
    return headers.get("x-amz-checksum-type", "").upper() or "COMPOSITE"


def _refused_checksum(headers: dict):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html lists which algorithm has which type."""
    algorithm, kind = (headers.get(name, "").upper() for name in ("x-amz-checksum-algorithm", "x-amz-checksum-type"))
    if not algorithm or not kind:
        return None
    if (kind == "COMPOSITE" and algorithm in ONLY_WHOLE) or (kind == "FULL_OBJECT" and algorithm in ONLY_COMPOSITE):
        message = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        return Refusal("InvalidRequest", message)
    return None


@dataclass(frozen=True)
class CopySource:
    bucket: str
    key: str
    # None for the current object.
    version: str | None


def copy_source_of(headers: dict) -> CopySource | None:
    """None for a malformed one, which the emulator refuses."""
    path, _, query = headers.get("x-amz-copy-source", "").partition("?")
    bucket, slash, key = unquote_to_bytes(path).decode("utf-8", "replace").lstrip("/").partition("/")
    versions = [pair.partition("=")[2] for pair in query.split("&") if pair.partition("=")[0] == "versionId"]
    return CopySource(bucket, key, versions[0] if versions else None) if slash else None


def refused_source_version(operation: str, version: str | None):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    if version is None or is_version_id(version):
        return None
    if version == "":
        details = {"ArgumentName": "x-amz-copy-source", "ArgumentValue": version}
        return Refusal("InvalidArgument", "Version id cannot be the empty string", details=details)
    if operation == "CopyObject":
        return Refusal("InvalidRequest", "Invalid Request")
    return Refusal("InvalidArgument", "Invalid version id specified", details={"ArgumentName": "versionId", "ArgumentValue": version})


def expired_v2(query: dict, now: float):
    """A URL with a signature of version 2. https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html"""
    if "AWSAccessKeyId" not in query or "Signature" not in query:
        return None
    expires = (query.get("Expires") or [""])[0]
    # Python converts no longer text to a number.
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 19):
        return Refusal("AccessDenied", f"Invalid date (should be seconds since epoch): {expires}", 403)
    return None if int(expires) >= now else Refusal("AccessDenied", "Request has expired", 403)
