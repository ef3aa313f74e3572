"""What boto3 does with the local S3. The expectations are those of Amazon's API reference."""

import hashlib
import io
import os
import unittest

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

PART_BYTES = 5 * 1024 * 1024


def client(secret=None):
    return boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT"],
        region_name=os.environ["S3_REGION"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=secret or os.environ["S3_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


class Scenarios(unittest.TestCase):
    counter = 0

    def setUp(self):
        Scenarios.counter += 1
        self.bucket = f"boto3-{Scenarios.counter}-{os.getpid()}"
        self.s3 = client()
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key, body=b"hello", **options):
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, **options)

    def read(self, key, **options):
        return self.s3.get_object(Bucket=self.bucket, Key=key, **options)["Body"].read()

    def head(self, key, **options):
        return self.s3.head_object(Bucket=self.bucket, Key=key, **options)

    def refused(self, code, status, call):
        with self.assertRaises(ClientError) as raised:
            call()
        answer = raised.exception.response
        self.assertEqual((answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]), (code, status))


class Objects(Scenarios):
    def test_put_and_get_keep_bytes_headers_and_metadata(self):
        kept = {"ContentType": "text/plain", "CacheControl": "no-cache", "ContentDisposition": "inline", "ContentLanguage": "de"}
        self.put("a/b 文件.txt", b"\x00\xff", Metadata={"who": "me"}, **kept)
        got = self.s3.get_object(Bucket=self.bucket, Key="a/b 文件.txt")
        self.assertEqual(got["Body"].read(), b"\x00\xff")
        self.assertEqual(got["Metadata"], {"who": "me"})
        self.assertEqual({name: got[name] for name in kept}, kept)

    def test_an_absent_key_is_refused(self):
        self.refused("NoSuchKey", 404, lambda: self.read("absent"))

    def test_an_absent_bucket_is_refused(self):
        self.refused("NoSuchBucket", 404, lambda: self.s3.get_object(Bucket=self.bucket + "-absent", Key="k"))

    def test_a_wrong_secret_is_refused(self):
        self.refused("SignatureDoesNotMatch", 403, lambda: client("wrong").get_object(Bucket=self.bucket, Key="k"))

    def test_a_range_is_answered_with_206(self):
        self.put("k", b"0123456789")
        got = self.s3.get_object(Bucket=self.bucket, Key="k", Range="bytes=2-4")
        self.assertEqual((got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read(), got["ContentRange"]), (206, b"234", "bytes 2-4/10"))

    def test_a_range_behind_the_end_is_refused(self):
        self.put("k", b"01")
        self.refused("InvalidRange", 416, lambda: self.read("k", Range="bytes=5-9"))

    def test_conditions_of_a_read(self):
        etag = self.put("k")["ETag"]
        self.assertEqual(self.read("k", IfMatch=etag), b"hello")
        self.refused("PreconditionFailed", 412, lambda: self.read("k", IfMatch='"other"'))
        self.refused("304", 304, lambda: self.read("k", IfNoneMatch=etag))

    def test_conditions_of_a_write(self):
        etag = self.put("k", IfNoneMatch="*")["ETag"]
        self.refused("PreconditionFailed", 412, lambda: self.put("k", IfNoneMatch="*"))
        self.put("k", b"new", IfMatch=etag)
        self.refused("PreconditionFailed", 412, lambda: self.put("k", IfMatch=etag))

    def test_checksums_are_kept(self):
        self.put("k", ChecksumAlgorithm="SHA256")
        got = self.head("k", ChecksumMode="ENABLED")
        self.assertIn("ChecksumSHA256", got)
        self.refused("BadDigest", 400, lambda: self.put("k", ContentMD5="eB5eJF1ptWaXm4bijSPyxw=="))

    def test_the_etag_is_the_md5(self):
        self.assertEqual(self.put("k")["ETag"], f'"{hashlib.md5(b"hello").hexdigest()}"')

    def test_copy_keeps_or_replaces_metadata(self):
        self.put("from", Metadata={"a": "1"})
        source = {"Bucket": self.bucket, "Key": "from"}
        self.s3.copy_object(Bucket=self.bucket, Key="kept", CopySource=source)
        self.assertEqual(self.head("kept")["Metadata"], {"a": "1"})
        self.s3.copy_object(Bucket=self.bucket, Key="new", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
        self.assertEqual(self.head("new")["Metadata"], {"b": "2"})
        unchanged = {"Bucket": self.bucket, "Key": "from", "CopySource": source}
        self.refused("InvalidRequest", 400, lambda: self.s3.copy_object(**unchanged))

    def test_delete_one_and_many(self):
        for key in ("1", "2", "3"):
            self.put(key)
        self.s3.delete_object(Bucket=self.bucket, Key="1")
        gone = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [{"Key": key} for key in ("2", "3", "absent")]})
        self.assertEqual(sorted(one["Key"] for one in gone["Deleted"]), ["2", "3", "absent"])
        self.refused("404", 404, lambda: self.head("2"))

    def test_tags(self):
        self.put("k", Tagging="a=1&b=2")
        where = {"Bucket": self.bucket, "Key": "k"}
        self.s3.put_object_tagging(Tagging={"TagSet": [{"Key": "键", "Value": "值"}]}, **where)
        self.assertEqual(self.s3.get_object_tagging(**where)["TagSet"], [{"Key": "键", "Value": "值"}])
        self.s3.delete_object_tagging(**where)
        self.assertEqual(self.s3.get_object_tagging(**where)["TagSet"], [])

    def test_limits_of_keys_and_metadata(self):
        self.refused("KeyTooLongError", 400, lambda: self.put("k" * 1025))
        self.refused("MetadataTooLarge", 400, lambda: self.put("k", Metadata={"big": "x" * 2048}))

    def test_a_file_like_object_is_moved_in_parts(self):
        body = os.urandom(2 * PART_BYTES + 1)
        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "large", Config=config)
        self.assertRegex(self.head("large")["ETag"], r'-3"$')
        got = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "large", got, Config=config)
        self.assertEqual(got.getvalue(), body)


class Uploads(Scenarios):
    def start(self, key, **options):
        return self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **options)["UploadId"]

    def part(self, upload, number, body):
        answer = self.s3.upload_part(PartNumber=number, Body=body, **upload)
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": answer.get("ChecksumCRC32")}

    def complete(self, upload, parts):
        wanted = [{name: value for name, value in part.items() if value is not None} for part in parts]
        return self.s3.complete_multipart_upload(MultipartUpload={"Parts": wanted}, **upload)

    def test_parts_become_one_object(self):
        upload = {"Bucket": self.bucket, "Key": "k", "UploadId": self.start("k", Metadata={"a": "1"})}
        parts = [self.part(upload, 1, b"a" * PART_BYTES), self.part(upload, 2, b"b")]
        self.assertEqual([part["Size"] for part in self.s3.list_parts(**upload)["Parts"]], [PART_BYTES, 1])
        self.assertRegex(self.complete(upload, parts)["ETag"], r'-2"$')
        self.assertEqual((self.read("k"), self.head("k")["Metadata"]), (b"a" * PART_BYTES + b"b", {"a": "1"}))

    def test_a_part_that_is_too_small_is_refused(self):
        upload = {"Bucket": self.bucket, "Key": "k", "UploadId": self.start("k")}
        parts = [self.part(upload, 1, b"a"), self.part(upload, 2, b"b")]
        self.refused("EntityTooSmall", 400, lambda: self.complete(upload, parts))

    def test_parts_are_copied(self):
        self.put("from", b"x" * PART_BYTES + b"y")
        upload = {"Bucket": self.bucket, "Key": "k", "UploadId": self.start("k")}
        parts = []
        for number, wanted in ((1, f"bytes=0-{PART_BYTES - 1}"), (2, f"bytes={PART_BYTES}-{PART_BYTES}")):
            source = {"CopySource": {"Bucket": self.bucket, "Key": "from"}, "CopySourceRange": wanted}
            answer = self.s3.upload_part_copy(PartNumber=number, **source, **upload)["CopyPartResult"]
            parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self.complete(upload, parts)
        self.assertEqual(self.read("k"), b"x" * PART_BYTES + b"y")

    def test_an_aborted_upload_is_gone(self):
        upload = {"Bucket": self.bucket, "Key": "k", "UploadId": self.start("k")}
        self.assertEqual([one["UploadId"] for one in self.s3.list_multipart_uploads(Bucket=self.bucket)["Uploads"]], [upload["UploadId"]])
        self.s3.abort_multipart_upload(**upload)
        self.refused("NoSuchUpload", 404, lambda: self.s3.list_parts(**upload))


class Listings(Scenarios):
    def test_pages_prefixes_and_delimiters(self):
        for key in ("a/1", "a/2", "b", "c&d"):
            self.put(key)
        pages = list(self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, PaginationConfig={"PageSize": 2}))
        self.assertEqual([one["Key"] for page in pages for one in page["Contents"]], ["a/1", "a/2", "b", "c&d"])
        folders = self.s3.list_objects_v2(Bucket=self.bucket, Delimiter="/")
        self.assertEqual([one["Prefix"] for one in folders["CommonPrefixes"]], ["a/"])
        after = self.s3.list_objects_v2(Bucket=self.bucket, StartAfter="a/2")
        self.assertEqual([one["Key"] for one in after["Contents"]], ["b", "c&d"])

    def test_buckets(self):
        self.assertIn(self.bucket, [one["Name"] for one in self.s3.list_buckets()["Buckets"]])


class Versions(Scenarios):
    def test_versions_and_delete_markers(self):
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        first, second = self.put("k", b"1")["VersionId"], self.put("k", b"2")["VersionId"]
        self.assertEqual((self.read("k"), self.read("k", VersionId=first)), (b"2", b"1"))
        gone = self.s3.delete_object(Bucket=self.bucket, Key="k")
        self.assertTrue(gone["DeleteMarker"])
        self.refused("NoSuchKey", 404, lambda: self.read("k"))
        listed = self.s3.list_object_versions(Bucket=self.bucket)
        self.assertEqual([one["VersionId"] for one in listed["Versions"]], [second, first])
        self.assertEqual([one["VersionId"] for one in listed["DeleteMarkers"]], [gone["VersionId"]])
        self.s3.delete_object(Bucket=self.bucket, Key="k", VersionId=gone["VersionId"])
        self.assertEqual(self.read("k"), b"2")


class Presigned(Scenarios):
    def test_a_url_reads_and_one_writes(self):
        where = {"Bucket": self.bucket, "Key": "k"}
        write = self.s3.generate_presigned_url("put_object", Params=where)
        self.assertEqual(requests.put(write, data=b"signed", timeout=10).status_code, 200)
        read = self.s3.generate_presigned_url("get_object", Params=where)
        self.assertEqual(requests.get(read, timeout=10).content, b"signed")
        self.assertEqual(requests.get(read.replace("/k?", "/other?"), timeout=10).status_code, 403)


class Settings(Scenarios):
    def test_policy(self):
        resource = f"arn:aws:s3:::{self.bucket}/*"
        text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Principal":"*","Resource":"%s"}]}' % resource
        self.put("k")
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=text)
        self.assertIn(resource, self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        self.refused("AccessDenied", 403, lambda: self.read("k"))
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        self.refused("NoSuchBucketPolicy", 404, lambda: self.s3.get_bucket_policy(Bucket=self.bucket))

    def test_lifecycle(self):
        rule = {"ID": "old", "Filter": {"Prefix": "log/"}, "Status": "Enabled", "Expiration": {"Days": 7}}
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": [rule]})
        got = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"]
        self.assertEqual([(one["ID"], one["Expiration"]["Days"]) for one in got], [("old", 7)])

    def test_a_bucket_with_objects_is_not_deleted(self):
        self.put("k")
        self.refused("BucketNotEmpty", 409, lambda: self.s3.delete_bucket(Bucket=self.bucket))
