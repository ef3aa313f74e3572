"""Serves ministack over TLS on one address until standard input closes or SIGTERM arrives.

The command `ministack` also binds port 443, so a machine could run one instance only, and it keeps running when its parent
crashes. What ministack's S3 lacks is in s3_edge. Everything else here is as in its own `main`.

With RECORD_CALLS=<file> each request becomes a line of JSON there: {"principal", "method", "path", "query", "headers", "body",
"status"}. The emulator's CloudTrail has neither the role of a session, nor the query (which distinguishes S3 operations), nor
refused calls.

With SCHEDULE_MINUTE_MS=<ms> a minute of a schedule's rate() takes this time. cron() is not changed.
"""

import asyncio
import functools
import json
import os
import re
import signal
import sys
import threading
import types

from hypercorn.asyncio import serve
from hypercorn.config import Config

from ministack.app import app

# After the application: it prepares the server for requests of S3.
import s3_edge


def stop_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


CREDENTIAL = re.compile(r"Credential=([A-Za-z0-9]+)(?:/|%2F)")
# Headers that decide which permissions a call needs.
RECORDED_HEADERS = {"x-amz-target", "x-amz-tagging", "x-amz-server-side-encryption-aws-kms-key-id", "if-match", "if-none-match"}
RECORDED_BODY_BYTES = 64 * 1024


def principal_of(authorization: str, query: str, account: str) -> str:
    from ministack.core.iam_evaluator import CredentialResolutionError, resolve_credential

    found = CREDENTIAL.search(authorization) or CREDENTIAL.search(query)
    if found is None:
        return "anonymous"
    credential = resolve_credential(found.group(1), account)
    return "unknown" if isinstance(credential, CredentialResolutionError) else credential.principal_arn


def recorded(app, path: str, account: str):
    """Wraps the app to record every request after its response. Only AWS JSON calls have their body recorded: it names the resource."""
    calls = open(path, "a", encoding="utf-8", buffering=1)

    async def record(scope, receive, send):
        if scope["type"] != "http":
            return await app(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        body = bytearray()
        status = 0

        async def received():
            event = await receive()
            if "x-amz-target" in headers and len(body) < RECORDED_BODY_BYTES:
                body.extend(event.get("body", b""))
            return event

        async def sent(event):
            nonlocal status
            if event["type"] == "http.response.start":
                status = event["status"]
            await send(event)

        try:
            await app(scope, received, sent)
        finally:
            principal = principal_of(headers.get("authorization", ""), query, account)
            call = {
                "principal": principal,
                "method": scope["method"],
                "path": scope["raw_path"].decode("latin-1"),
                "query": query,
                "headers": {name: value for name, value in headers.items() if name in RECORDED_HEADERS},
                "body": "" if principal.endswith(":root") else body.decode("utf-8", "replace"),
                "status": status,
            }
            calls.write(json.dumps(call) + "\n")

    return record


# Names that lead to this machine whatever a resolver says, and those of the services, which clients send to a proxy.
OWN_HOST = re.compile(r"(?:[\w-]+\.)*(?:localhost|127\.0\.0\.1|amazonaws\.com(?:\.cn)?|on\.aws)(?::\d+)?", re.IGNORECASE)
# The emulator's own tools end and change everything, and need no signature.
HEALTH = "/_ministack/health"
TOOLS = re.compile(r"/+_(?:ministack|localstack)(?:/|$)", re.IGNORECASE)


def refusal_of(scope) -> str | None:
    """Why the request is not served: a browser lets every web page send requests to this machine, and a foreign name can lead here."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if not OWN_HOST.fullmatch(headers.get("host", "")):
        return "the Host header names another host"
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return "requests of web pages are not served"
    if TOOLS.match(scope["path"]) and scope["path"] != HEALTH:
        return "the tools of the emulator are not served"
    return None


def for_programs(app):
    """Serves programs that know a key, and no web page."""

    async def serve_or_refuse(scope, receive, send):
        reason = None if scope["type"] == "lifespan" else refusal_of(scope)
        if reason is None:
            return await app(scope, receive, send)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 403, "headers": headers})
        await send({"type": "http.response.body", "body": f"{reason}\n".encode()})

    return serve_or_refuse


def quicken_schedules(minute_ms: int) -> None:
    """Scales rates, and the interval of the sweep, which is a sixth of a minute."""
    from ministack.services import eventbridge

    real_seconds = eventbridge._parse_rate_seconds

    def quick_seconds(expression):
        seconds = real_seconds(expression)
        return None if seconds is None else seconds / 60 * minute_ms / 1000

    eventbridge._parse_rate_seconds = quick_seconds
    eventbridge._SCHEDULER_TICK_INTERVAL = minute_ms / 1000 / 6


def authorize_batches_as_single_calls() -> None:
    """SQS has no action for a batch: SendMessageBatch needs sqs:SendMessage, and so on."""
    from ministack.core import iam_actions

    real_action = iam_actions.extract_iam_action

    def action(service, *args, **named):
        found = real_action(service, *args, **named)
        return found.removesuffix("Batch") if service == "sqs" and found else found

    iam_actions.extract_iam_action = action


def match_every_character() -> None:
    """In a policy `*` stands for any characters. ministack's stops at a newline, so a role could not read a key that holds one.

    The first place where the text after a `*` fits is the only one that is tried, as in Python's fnmatch. Otherwise a policy with many of them takes a power
    of the key's length.
    """
    from ministack.core import iam_evaluator

    def compile_pattern(pattern, ignore_case):
        first, *others = [
            "".join("." if character == "?" else re.escape(character) for character in part) for part in re.split(r"\*+", pattern)
        ]
        once = [f"(?=(?P<g{number}>.*?{part}))(?P=g{number})" for number, part in enumerate(others[:-1])]
        regex = first + "".join(once) + (f".*{others[-1]}" if others else "")
        return re.compile(rf"\A{regex}\Z", re.DOTALL | (re.IGNORECASE if ignore_case else 0))

    iam_evaluator._fnmatch_compile = functools.lru_cache(maxsize=4096)(compile_pattern)


def verify_root_signatures() -> None:
    """ministack does not check the signature of an account's own key, so any program of this machine that knows the account could use it."""
    from ministack import app as application
    from ministack.core import iam_evaluator

    pin = iam_evaluator.pin_signed_request
    names = {**vars(iam_evaluator), "_is_root_key": lambda _key: False}
    application.pin_signed_request = types.FunctionType(pin.__code__, names, pin.__name__, pin.__defaults__)


def number_times_of_dashboards() -> None:
    """In JSON CloudWatch answers a time in seconds. ministack answers ListDashboards with text, which the vendor's SDK refuses."""
    from ministack.services import cloudwatch

    answer = cloudwatch._json_ok

    def json_ok(data):
        for entry in data.get("DashboardEntries", []):
            entry["LastModified"] = cloudwatch._dashboards[entry["DashboardName"]]["LastModified"]
        return answer(data)

    cloudwatch._json_ok = json_ok


def main() -> None:
    served = app
    authorize_batches_as_single_calls()
    match_every_character()
    verify_root_signatures()
    number_times_of_dashboards()
    s3_edge.install()
    if minute_ms := os.environ.get("SCHEDULE_MINUTE_MS"):
        quicken_schedules(int(minute_ms))
    if path := os.environ.get("RECORD_CALLS"):
        served = recorded(app, path, os.environ["MINISTACK_ACCOUNT_ID"])
    served = for_programs(served)
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    config.loglevel = os.environ.get("LOG_LEVEL", "INFO")
    threading.Thread(target=stop_with_parent, daemon=True).start()
    asyncio.run(serve(served, config))


if __name__ == "__main__":
    sys.exit(main())
