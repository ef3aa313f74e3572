"""How S3 stores and answers objects where ministack does otherwise: defaults, checksums, tags of uploads, and copies."""

import re
from xml.sax.saxutils import escape

from ministack.services import s3

from . import rules
from .call import Call, current
from .checks import REDIRECT
from .rules import replaces

DEFAULT_TYPE = "binary/octet-stream"
DEFAULT_ALGORITHM = "CRC64NVME"


def prepare_write(call: Call) -> None:
    call.headers.setdefault("content-type", DEFAULT_TYPE)
    call.tags = rules.tags_of_header(call.headers.get("x-amz-tagging", ""))[0]


def prepare_copy(call: Call) -> None:
    """ministack takes from the source what the request does not name. S3 takes STANDARD, and with REPLACE none of the source's headers."""
    call.headers.setdefault("x-amz-storage-class", "STANDARD")
    if replaces(call.headers, "metadata"):
        call.headers.setdefault("content-type", DEFAULT_TYPE)
        call.headers.setdefault("content-encoding", "")


def prepare_completion(call: Call) -> None:
    upload = call.upload()
    if upload is None:
        return
    call.tags = upload.get("edge_tags") or {}
    if call.whole is not None:
        # With an algorithm ministack computes a checksum over those of the parts.
        upload["checksum_algorithm"] = None


def restore_upload(call: Call) -> None:
    """A refused completion can be repeated."""
    if call.whole is not None and (upload := call.upload()) is not None:
        upload["checksum_algorithm"] = upload["edge_algorithm"]


def with_stored_form(replicate):
    """ministack calls it for each object that it is about to store."""

    def store(bucket, key, obj, data, tags=None):
        call = current.get()
        if call is not None:
            _finish_record(call, obj, data)
            if call.operation == "CompleteMultipartUpload":
                tags = call.tags
        replicate(bucket, key, obj, data, tags)

    return store


def _finish_record(call: Call, obj: dict, data: bytes) -> None:
    """Gives each object a checksum. https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html

    A copy has no parts: its etag and its checksum are those of its bytes.
    """
    checksums = obj.get("checksums") or {}
    algorithm = next(iter(checksums), DEFAULT_ALGORITHM)
    if call.operation == "CopyObject":
        algorithm = call.headers.get("x-amz-checksum-algorithm", algorithm).upper()
        _finish_copy_record(call, obj, data)
        checksums = {name: value for name, value in checksums.items() if "-" not in value}
    if call.whole is not None:
        checksums = dict([call.whole])
    elif algorithm not in checksums:
        value = s3._compute_s3_checksum(algorithm, data)
        checksums = {algorithm: value} if value else {DEFAULT_ALGORITHM: s3._compute_s3_checksum(DEFAULT_ALGORITHM, data)}
    obj["checksums"], obj["checksum_type"] = checksums, checksum_type(checksums)


def _finish_copy_record(call: Call, obj: dict, data: bytes) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html: a redirect is never copied."""
    if "-" in obj["etag"]:
        obj["etag"] = f'"{s3.md5_hash(data)}"'
    obj["preserved_headers"].pop(REDIRECT, None)
    if redirect := call.headers.get(REDIRECT):
        obj["preserved_headers"][REDIRECT] = redirect


def checksum_type(checksums: dict) -> str:
    """A checksum over those of the parts ends in their number."""
    return "COMPOSITE" if any("-" in value for value in checksums.values()) else "FULL_OBJECT"


def with_checksum_type(headers_of):
    """ministack's versions do not keep the type of their checksum."""

    def headers(obj, *args, **named):
        found = headers_of(obj, *args, **named)
        if "x-amz-checksum-type" in found:
            found["x-amz-checksum-type"] = checksum_type(obj["checksums"])
        return found

    return headers


def finish_put(call: Call, headers: dict, document: bytes) -> bytes:
    if (record := call.record()) is not None:
        _keep_tags(call, record)
        headers.update({f"x-amz-checksum-{name.lower()}": value for name, value in record["checksums"].items()})
        headers["x-amz-checksum-type"] = checksum_type(record["checksums"])
    return document


def finish_copy(call: Call, headers: dict, document: bytes) -> bytes:
    record = call.record()
    if record is None:
        return document
    document = re.sub(rb"<ETag>[^<]*</ETag>", f"<ETag>{escape(record['etag'])}</ETag>".encode(), document)
    return _with_elements(document, _checksum_elements(record["checksums"]))


def finish_creation(call: Call, headers: dict, document: bytes) -> bytes:
    found = re.search(rb"<UploadId>([^<]+)</UploadId>", document)
    upload = s3._multipart_uploads[found.group(1).decode()]
    upload["edge_tags"] = call.tags
    if algorithm := upload["checksum_algorithm"]:
        upload["edge_algorithm"] = algorithm
        upload["edge_checksum_type"] = headers["x-amz-checksum-type"] = rules.checksum_type_of(algorithm, call.headers)
    return document


def finish_part_copy(call: Call, headers: dict, document: bytes) -> bytes:
    """S3 computes the checksum of a copied part as of a sent one."""
    upload = call.upload()
    if upload is None or not (algorithm := upload["checksum_algorithm"]):
        return document
    part = upload["parts"][int(call.request.parameter("partNumber") or "1")]
    part["checksums"] = {algorithm: s3._compute_s3_checksum(algorithm, part["body"])}
    return _with_elements(document, [(f"Checksum{algorithm}", part["checksums"][algorithm])])


def finish_completion(call: Call, headers: dict, document: bytes) -> bytes:
    record = call.record()
    # A repeated completion gets the first answer, whatever the key holds now.
    if record is None or call.tags is None:
        return document
    _keep_tags(call, record)
    is_by_key = record["preserved_headers"].get("x-amz-server-side-encryption") == "aws:kms"
    if is_by_key or b"<ChecksumType>" in document:
        return document
    answer = _with_elements(document, _checksum_elements(record["checksums"]))
    s3._completed_multipart_uploads[call.request.parameter("uploadId")]["response"] = (200, headers, answer)
    return answer


def _checksum_elements(checksums: dict) -> list:
    return [*((f"Checksum{name}", value) for name, value in checksums.items()), ("ChecksumType", checksum_type(checksums))]


def _with_elements(document: bytes, elements: list) -> bytes:
    """Adds elements at the end of the document's root."""
    before, end, name = document.rpartition(b"</")
    return before + "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in elements).encode() + end + name


def _keep_tags(call: Call, record: dict) -> None:
    """An object has the tags that it was created with, and none of the object that it replaced."""
    bucket, key = call.request.bucket, call.request.key
    own = (bucket, key, record.get("version_id"))
    if s3._object_tags.get(own, {}) == call.tags:
        return
    if call.tags:
        s3._object_tags[own] = dict(call.tags)
    else:
        s3._object_tags.pop(own, None)
    if record.get("_replica"):
        replica_bucket, version, account = record["_replica"]
        with s3._in_account(account):
            s3._object_tags[(replica_bucket, key, version)] = dict(call.tags)
            s3._persist_version_state(replica_bucket, key, s3._buckets[replica_bucket])
    s3._persist_version_state(bucket, key, s3._buckets[bucket])


def with_tag_count(read):
    """The number of tags, for callers who may read them. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html"""

    def answer(bucket, key, headers=None, query=None):
        status, found, body = read(bucket, key, headers, query)
        found.pop("x-amz-tagging-count", None)
        count = len(s3._object_tags.get((bucket, key, found.get("x-amz-version-id")), {}))
        call = current.get()
        if call is not None and status in (200, 206) and count > 0:
            action = "s3:GetObjectVersionTagging" if call.request.parameter("versionId") else "s3:GetObjectTagging"
            if call.denial(action, f"arn:aws:s3:::{bucket}/{key}") is None:
                found["x-amz-tagging-count"] = str(count)
        return status, found, body

    return answer
