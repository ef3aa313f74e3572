"""One request of S3 while ministack handles it."""

from contextvars import ContextVar

from ministack.core.iam_evaluator import enforce
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import s3

from .rules import Refusal, Request


class Call:
    def __init__(self, request: Request):
        self.request = request
        self.operation = request.operation
        # What ministack reads instead of the request's headers.
        self.headers = dict(request.headers)
        # The tags that the request gives the object; None for an operation that creates no object from a request.
        self.tags = None
        # The algorithm and the value of the checksum of the whole object, where they are known before the object is stored.
        self.whole = None

    @property
    def access_key(self) -> str:
        return extract_access_key_id(self.request.headers, self.request.query)

    def denial(self, action: str, resource: str):
        """Why the caller has no such permission; None when it has. A caller of another account is an `AuthError`."""
        region = extract_region(self.request.headers, self.request.query)
        return enforce(self.access_key, action, "s3", region, resource_arn=resource)

    def record(self):
        """The current object of the request's key."""
        bucket = s3._buckets.get(self.request.bucket)
        return None if bucket is None else bucket["objects"].get(self.request.key)

    def upload(self):
        """The unfinished upload that the request names; None for one of another key, which ministack refuses."""
        found = s3._multipart_uploads.get(self.request.parameter("uploadId") or "")
        is_own = found is not None and (found["bucket"], found["key"]) == (self.request.bucket, self.request.key)
        return found if is_own else None


current: ContextVar = ContextVar("s3_edge_call", default=None)


def answered(refusal: Refusal, request: Request):
    resource = f"/{request.bucket}/{request.key}" if request.bucket else ""
    return s3._error(refusal.code, refusal.message, refusal.status, resource, extra=refusal.details)
