"""Events of S3: those of tags, which ministack does not send, and the caller in all of them."""

import re

from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential
from ministack.core.responses import get_account_id
from ministack.services import s3, sts

from .call import Call, current

DETAIL_TYPES = {"ObjectTagging:Put": "Object Tags Added", "ObjectTagging:Delete": "Object Tags Deleted"}


def finish_tagging(event: str):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html"""

    def finish(call: Call, headers: dict, document: bytes) -> bytes:
        bucket, key, version = call.request.bucket, call.request.key, headers.get("x-amz-version-id")
        versions = s3._object_versions.get((bucket, key), [])
        tagged = next((one for one in versions if one["version_id"] == version), call.record())
        s3._fire_s3_event_async(bucket, key, event, etag=tagged["etag"] if tagged else "", version_id=version)
        return document

    return finish


def with_caller(fire):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html: the id of who caused the event."""

    def fire_event(bucket, key, event, *args, record_extra=None, **named):
        call = current.get()
        if call is not None and call.access_key:
            credential = resolve_credential(call.access_key, get_account_id())
            if not isinstance(credential, CredentialResolutionError):
                record_extra = {**(record_extra or {}), "userIdentity": {"principalId": f"AWS:{credential.principal_id}"}}
        if call is not None and event == "s3:ObjectCreated:Copy" and (record := call.record()) is not None:
            named["etag"] = record["etag"]
        fire(bucket, key, event, *args, record_extra=record_extra, **named)

    return fire_event


def without_size(deliver):
    """An event of tags has no size."""

    def delivered(arn, payload, *args, **named):
        for record in payload.get("Records", []):
            if record["eventName"].startswith("ObjectTagging:"):
                record["s3"]["object"] = {name: value for name, value in record["s3"]["object"].items() if name != "size"}
        deliver(arn, payload, *args, **named)

    return delivered


def with_role_ids(register):
    """The session of a function has the name of its role where AWS has its id, so its events would name an unknown role."""

    def register_session(access_key, session, *args, **named):
        found = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/(.+)", session.get("Arn", ""))
        if found and not session.get("UserId", "").startswith("AROA"):
            account, role, name = found.groups()
            session = {**session, "UserId": f"{sts._role_id(f'arn:aws:iam::{account}:role/{role}')}:{name}"}
        return register(access_key, session, *args, **named)

    return register_session
