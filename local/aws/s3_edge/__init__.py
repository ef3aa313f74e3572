"""The edge of the emulator's S3: it refuses what S3 refuses, and stores and answers what S3 does and ministack does not.

`install` replaces functions of `ministack.services.s3` and of its check of permissions. ministack looks them up by name, so each request comes by
here once, in the same process: in path style or by virtual host, signed in its headers or its URL.
"""

import time

from ministack.core import iam_actions, iam_evaluator
from ministack.core.iam_evaluator import AuthError
from ministack.services import s3, sts

from . import checks, events, objects, rules
from .call import Call, answered, current
from .crc64nvme import quick
from .rules import Refusal, Request, replaces

# A refusal of the edge, an answer of ministack that is one, or None.
CHECKS = {
    "CopyObject": checks.refused_copy,
    "UploadPartCopy": checks.refused_copy,
    "CompleteMultipartUpload": checks.refused_completion,
    "PutObjectTagging": checks.refused_tagging,
    "PostObject": checks.refused_form,
}
PREPARATIONS = {
    "PutObject": objects.prepare_write,
    "CreateMultipartUpload": objects.prepare_write,
    "CopyObject": objects.prepare_copy,
    "CompleteMultipartUpload": objects.prepare_completion,
}
# They change the headers of a successful answer, and return its document.
FINISHES = {
    "PutObject": objects.finish_put,
    "CopyObject": objects.finish_copy,
    "CreateMultipartUpload": objects.finish_creation,
    "UploadPartCopy": objects.finish_part_copy,
    "CompleteMultipartUpload": objects.finish_completion,
    "PutObjectTagging": events.finish_tagging("s3:ObjectTagging:Put"),
    "DeleteObjectTagging": events.finish_tagging("s3:ObjectTagging:Delete"),
}


def with_rules(dispatch):
    def answer(method, bucket, key, headers, body, query):
        call = Call(Request(method, bucket, key, headers, body, query))
        refusal = rules.refusal_of(call.request, iam_evaluator._anonymous.get())
        if refusal is None and (check := CHECKS.get(call.operation)):
            refusal = check(call)
        if refusal is not None:
            return answered(refusal, call.request) if isinstance(refusal, Refusal) else refusal
        if prepare := PREPARATIONS.get(call.operation):
            prepare(call)
        token = current.set(call)
        try:
            status, found, document = dispatch(method, bucket, key, call.headers, body, query)
            if status < 300 and (finish := FINISHES.get(call.operation)):
                document = finish(call, found, document)
            return _missing_or_hidden(call, status, found, document)
        finally:
            current.reset(token)
            objects.restore_upload(call)

    return answer


def _missing_or_hidden(call: Call, status, found: dict, document):
    """S3 says 404 only to callers who may list the bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
    if status != 404 or call.operation not in ("GetObject", "HeadObject") or b"<Code>NoSuchKey</Code>" not in document:
        return status, found, document
    denial = call.denial("s3:ListBucket", f"arn:aws:s3:::{call.request.bucket}")
    # A caller of another account has been compared with the bucket's own policy.
    if denial is None or isinstance(denial, AuthError):
        return status, found, document
    return answered(Refusal("AccessDenied", "Access Denied", 403), call.request)


def with_documented_checks(checks_of):
    """Permissions that a call needs beside its own. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html"""

    def needed(method, path, headers, body, query):
        found = list(checks_of(method, path, headers, body, query))
        bucket, _, key = path.lstrip("/").partition("/")
        operation, resource = rules.operation_of(method, bucket, key, headers, query), f"arn:aws:s3:::{bucket}/{key}"
        takes_tags = operation in rules.WRITES_HEADERS and (operation != "CopyObject" or replaces(headers, "tagging"))
        if takes_tags and headers.get("x-amz-tagging"):
            found.append(("s3:PutObjectTagging", resource))
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html: S3 reads the etag that it compares.
        compares = operation in rules.CONDITIONAL_WRITES or operation == "DeleteObject"
        if compares and headers.get("if-match", "*").strip() != "*":
            found.append(("s3:GetObject", resource))
        return found

    return needed


def with_v2_expiry(validate):
    """ministack calls it for every request of S3, before it compares permissions."""

    def validated(method, path, headers, query):
        if refusal := rules.expired_v2(query, time.time()):
            return s3._error(refusal.code, refusal.message, refusal.status, path)
        return validate(method, path, headers, query)

    return validated


def install() -> None:
    s3._crc64nvme = quick(s3._crc64nvme)
    s3._dispatch = with_rules(s3._dispatch)
    s3.validate_object_request = with_v2_expiry(s3.validate_object_request)
    iam_actions.s3_additional_checks = with_documented_checks(iam_actions.s3_additional_checks)
    s3._maybe_replicate = objects.with_stored_form(s3._maybe_replicate)
    s3._object_response_headers = objects.with_checksum_type(s3._object_response_headers)
    s3._get_object, s3._head_object = objects.with_tag_count(s3._get_object), objects.with_tag_count(s3._head_object)
    s3._S3_EVENTBRIDGE_EVENT_DETAIL_TYPE.update(events.DETAIL_TYPES)
    s3._fire_s3_event_async = events.with_caller(s3._fire_s3_event_async)
    s3._deliver_event_to_sqs = events.without_size(s3._deliver_event_to_sqs)
    s3._deliver_event_to_sns = events.without_size(s3._deliver_event_to_sns)
    s3._deliver_event_to_lambda = events.without_size(s3._deliver_event_to_lambda)
    sts.register_session = events.with_role_ids(sts.register_session)
