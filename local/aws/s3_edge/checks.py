"""Refusals of S3 that depend on what is stored. ministack lacks each of them."""

import re

from ministack.services import s3

from . import rules
from .call import Call
from .rules import CopySource, Refusal, copy_source_of, replaces

MIN_PART_BYTES = 5 * 1024 * 1024
MALFORMED = Refusal("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
REDIRECT = "x-amz-website-redirect-location"
# A copy onto itself that names one of these changes the object.
CHANGING = ("x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-server-side-encryption-customer-algorithm", REDIRECT)


def refused_copy(call: Call):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    source = copy_source_of(call.request.headers)
    if source is None:
        return None
    if refusal := rules.refused_source_version(call.operation, source.version) or _refused_marker(source):
        return refusal
    objects = (s3._buckets.get(source.bucket) or {}).get("objects", {})
    found = None if source.version else objects.get(source.key)
    if found is not None and (refusal := _refused_archive(source, found)):
        return refusal
    if call.operation != "CopyObject" or s3._buckets.get(call.request.bucket) is None:
        return None
    if found is not None and not _changes(call, source, found):
        message = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, "
            "storage class, website redirect location or encryption attributes."
        )
        return Refusal("InvalidRequest", message)
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: of the object that the copy replaces.
    return s3._check_put_preconditions(call.request.headers, call.record())


def _refused_marker(source: CopySource):
    versions = s3._object_versions.get((source.bucket, source.key), []) if source.version else []
    if not any(one["version_id"] == source.version and one.get("is_delete_marker") for one in versions):
        return None
    message = "The source of a copy request may not specifically refer to a delete marker by version id."
    return Refusal("InvalidRequest", message)


def _refused_archive(source: CopySource, found: dict):
    storage_class = found.get("storage_class")
    if storage_class not in s3._ARCHIVE_STORAGE_CLASSES or s3._sync_restore(source.bucket, source.key, found) == "restored":
        return None
    message = "Operation is not valid for the source object's storage class"
    return Refusal("InvalidObjectState", message, 403, {"StorageClass": storage_class})


def _changes(call: Call, source: CopySource, found: dict) -> bool:
    """Whether the copy differs from the object that it replaces. A bucket with an encryption of its own may change the object's."""
    headers = call.request.headers
    if (source.bucket, source.key) != (call.request.bucket, call.request.key) or replaces(headers, "metadata"):
        return True
    names_change = any(headers.get(name) for name in CHANGING)
    return names_change or s3._bucket_encryption.get(source.bucket) is not None or bool(found.get("restore"))


def refused_completion(call: Call):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html"""
    upload = call.upload()
    if upload is None:
        return None
    try:
        numbers = [int(text) for text in _part_numbers(call.request.body)]
    except ValueError:
        return MALFORMED
    if not numbers:
        return MALFORMED
    if numbers != sorted(set(numbers)):
        message = "The list of parts was not in ascending order. The parts list must be specified in order by part number."
        return Refusal("InvalidPartOrder", message)
    parts = [upload["parts"].get(number) for number in numbers]
    if None in parts:
        return None
    for number, part in zip(numbers[:-1], parts[:-1]):
        if part["size"] < MIN_PART_BYTES:
            details = {"PartNumber": number, "ETag": part["etag"], "MinSizeAllowed": MIN_PART_BYTES, "ProposedSize": part["size"]}
            message = "Your proposed upload is smaller than the minimum allowed size"
            return Refusal("EntityTooSmall", message, details={name: str(value) for name, value in details.items()})
    return _refused_whole(call, upload, parts)


def _part_numbers(document: bytes) -> list:
    # One repetition at a time: a document of blanks must not take the square of its length.
    found = re.findall(r"<(?:\w+:)?PartNumber(?:\s[^<>]*)?>([^<]*)<", document.decode("utf-8", "replace"))
    return [text.strip() for text in found]


def _refused_whole(call: Call, upload: dict, parts: list):
    """Compares the checksum of the whole object, where the upload was created for one."""
    kind = upload.get("edge_checksum_type")
    given = call.request.headers.get("x-amz-checksum-type", "").upper()
    if given and given != kind:
        message = f"The upload was created using the {kind or 'null'} checksum mode. The complete request must use the same checksum mode."
        return Refusal("InvalidRequest", message)
    if kind != "FULL_OBJECT":
        return None
    algorithm = upload["edge_algorithm"]
    value = s3._compute_s3_checksum(algorithm, b"".join(part["body"] for part in parts))
    if call.request.headers.get(f"x-amz-checksum-{algorithm.lower()}") not in (None, value):
        return Refusal("BadDigest", f"The {algorithm.lower()} you specified did not match the calculated checksum.")
    call.whole = (algorithm, value)
    return None


def refused_tagging(call: Call):
    try:
        pairs = list(_tag_pairs(s3.fromstring(call.request.body)))
    except (SyntaxError, ValueError):
        # ministack refuses what is no XML, or no harmless XML.
        return None
    return rules.refused_tags(pairs)


def _tag_pairs(root):
    """ministack leaves out a tag whose key is empty."""
    for tag in root.iter():
        if _local(tag) == "Tag":
            texts = {_local(child): child.text or "" for child in tag}
            yield texts.get("Key", ""), texts.get("Value", "")


def _local(element) -> str:
    return element.tag.rpartition("}")[2]


def refused_form(call: Call):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html"""
    parts = s3._parse_multipart_form(call.request.headers.get("content-type", ""), call.request.body)
    fields = {name.lower(): value.decode("utf-8", "replace") for name, _filename, _headers, value in parts if name != "file"}
    metadata = {name: value for name, value in fields.items() if name.startswith(rules.METADATA)}
    return rules.long_key(fields.get("key", "")) or rules.large_metadata(metadata)
