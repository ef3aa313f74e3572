"""What alibabacloud-oss-v2 does with the local OSS. The expectations are those of the vendor's API pages."""

import datetime
import os
import tempfile
import unittest

import alibabacloud_oss_v2 as oss
import requests

REGION = os.environ.get("OSS_REGION", "")
ENDPOINT = os.environ.get("OSS_ENDPOINT", "")
PART_BYTES = 100 * 1024


def client(secret=None, **settings):
    config = oss.config.load_default()
    key = os.environ["OSS_ACCESS_KEY_ID"], secret or os.environ["OSS_ACCESS_KEY_SECRET"]
    config.credentials_provider = oss.credentials.StaticCredentialsProvider(*key)
    config.region = REGION
    config.endpoint = ENDPOINT
    for name, value in settings.items():
        setattr(config, name, value)
    return oss.Client(config)


class Scenarios(unittest.TestCase):
    counter = 0

    def setUp(self):
        Scenarios.counter += 1
        self.bucket = f"oss-v2-{Scenarios.counter}-{os.getpid()}"
        self.client = client()
        self.client.put_bucket(oss.PutBucketRequest(bucket=self.bucket))

    def put(self, key, body=b"hello", **options):
        return self.client.put_object(oss.PutObjectRequest(bucket=self.bucket, key=key, body=body, **options))

    def read(self, key, **options):
        return self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key=key, **options)).body.content

    def head(self, key, **options):
        return self.client.head_object(oss.HeadObjectRequest(bucket=self.bucket, key=key, **options))

    def refused(self, code, status, call):
        with self.assertRaises(oss.exceptions.OperationError) as raised:
            call()
        error = raised.exception.unwrap()
        self.assertIsInstance(error, oss.exceptions.ServiceError)
        self.assertEqual((error.code, error.status_code), (code, status))
        self.assertRegex(error.ec, r"^\d{4}-\d{8}$")
        return error


class Objects(Scenarios):
    def test_put_and_get_keep_bytes_headers_and_metadata(self):
        kept = {"content_type": "text/plain", "cache_control": "no-cache", "content_disposition": "inline"}
        self.put("a/b 文件.txt", b"\x00\xff", metadata={"who": "me"}, **kept)
        got = self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key="a/b 文件.txt"))
        self.assertEqual(got.body.content, b"\x00\xff")
        self.assertEqual(got.metadata.get("who"), "me")
        self.assertEqual({name: getattr(got, name) for name in kept}, kept)

    def test_an_absent_key_is_refused(self):
        self.refused("NoSuchKey", 404, lambda: self.read("absent"))

    def test_an_absent_bucket_is_refused(self):
        absent = oss.GetObjectRequest(bucket=self.bucket + "-absent", key="k")
        self.refused("NoSuchBucket", 404, lambda: self.client.get_object(absent))

    def test_a_wrong_secret_is_refused(self):
        wrong = client(secret="wrong")
        request = oss.GetObjectRequest(bucket=self.bucket, key="k")
        self.refused("SignatureDoesNotMatch", 403, lambda: wrong.get_object(request))

    def test_a_signature_of_version_1_is_accepted(self):
        old = client(signature_version="v1")
        old.put_object(oss.PutObjectRequest(bucket=self.bucket, key="v1", body=b"old"))
        self.assertEqual(self.read("v1"), b"old")

    def test_the_path_may_hold_the_bucket(self):
        self.put("k")
        address = ENDPOINT.replace(f"oss-{REGION}.aliyuncs.com", "127.0.0.1:" + os.environ["OSS_PORT"])
        by_path = client(endpoint=address, use_path_style=True)
        self.assertEqual(by_path.get_object(oss.GetObjectRequest(bucket=self.bucket, key="k")).body.content, b"hello")

    def test_a_range_is_answered_with_206(self):
        self.put("k", b"0123456789")
        got = self.client.get_object(oss.GetObjectRequest(bucket=self.bucket, key="k", range_header="bytes=2-4"))
        self.assertEqual((got.status_code, got.body.content, got.content_range), (206, b"234", "bytes 2-4/10"))

    def test_a_condition_that_fails_is_refused(self):
        etag = self.put("k").etag
        self.assertEqual(self.read("k", if_match=etag), b"hello")
        self.refused("PreconditionFailed", 412, lambda: self.read("k", if_match='"other"'))

    def test_forbidden_overwrite_is_refused(self):
        self.put("k", forbid_overwrite=True)
        self.refused("FileAlreadyExists", 409, lambda: self.put("k", forbid_overwrite=True))

    def test_a_wrong_md5_is_refused(self):
        self.refused("InvalidDigest", 400, lambda: self.put("k", content_md5="eB5eJF1ptWaXm4bijSPyxw=="))

    def test_append_gives_the_next_position(self):
        append = oss.AppendObjectRequest
        first = self.client.append_object(append(bucket=self.bucket, key="log", position=0, body=b"hello"))
        self.assertEqual(first.next_position, 5)
        again = append(bucket=self.bucket, key="log", position=0, body=b"x")
        self.refused("PositionNotEqualToLength", 409, lambda: self.client.append_object(again))
        self.client.append_object(append(bucket=self.bucket, key="log", position=5, body=b" world"))
        self.assertEqual((self.read("log"), self.head("log").object_type), (b"hello world", "Appendable"))

    def test_copy_keeps_or_replaces_metadata(self):
        self.put("from", metadata={"a": "1"})
        copy = {"bucket": self.bucket, "source_bucket": self.bucket, "source_key": "from"}
        self.client.copy_object(oss.CopyObjectRequest(key="kept", **copy))
        self.assertEqual(self.head("kept").metadata.get("a"), "1")
        replaced = oss.CopyObjectRequest(key="new", metadata_directive="REPLACE", metadata={"b": "2"}, **copy)
        self.client.copy_object(replaced)
        self.assertEqual(dict(self.head("new").metadata), {"b": "2"})

    def test_delete_one_and_many(self):
        for key in ("1", "2", "3"):
            self.put(key)
        self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key="1"))
        many = [oss.DeleteObject(key=key) for key in ("2", "3", "absent")]
        gone = self.client.delete_multiple_objects(oss.DeleteMultipleObjectsRequest(bucket=self.bucket, objects=many))
        self.assertEqual(sorted(one.key for one in gone.deleted_objects), ["2", "3", "absent"])
        self.assertFalse(self.client.is_object_exist(bucket=self.bucket, key="2"))

    def test_tags(self):
        self.put("k", tagging="a=1&b=2")
        self.assertEqual(self.head("k").tagging_count, 2)
        tags = oss.TagSet(tags=[oss.Tag(key="键", value="值")])
        where = {"bucket": self.bucket, "key": "k"}
        self.client.put_object_tagging(oss.PutObjectTaggingRequest(tagging=oss.Tagging(tag_set=tags), **where))
        got = self.client.get_object_tagging(oss.GetObjectTaggingRequest(**where))
        self.assertEqual([(tag.key, tag.value) for tag in got.tag_set.tags], [("键", "值")])
        self.client.delete_object_tagging(oss.DeleteObjectTaggingRequest(**where))
        self.assertFalse(self.client.get_object_tagging(oss.GetObjectTaggingRequest(**where)).tag_set.tags)

    def test_acl(self):
        self.put("k", acl="private")
        where = {"bucket": self.bucket, "key": "k"}
        self.assertEqual(self.client.get_object_acl(oss.GetObjectAclRequest(**where)).acl, "private")
        self.client.put_object_acl(oss.PutObjectAclRequest(acl="public-read", **where))
        self.assertEqual(self.client.get_object_acl(oss.GetObjectAclRequest(**where)).acl, "public-read")
        self.assertEqual(requests.get(f"{ENDPOINT.replace('://', f'://{self.bucket}.')}/k", timeout=10).content, b"hello")

    def test_a_symlink_leads_to_its_target(self):
        self.put("target", b"there")
        self.client.put_symlink(oss.PutSymlinkRequest(bucket=self.bucket, key="link", symlink_target="target"))
        found = self.client.get_symlink(oss.GetSymlinkRequest(bucket=self.bucket, key="link"))
        self.assertEqual((found.target, self.read("link")), ("target", b"there"))

    def test_an_archived_object_must_be_restored(self):
        self.put("cold", storage_class="Archive")
        self.refused("InvalidObjectState", 403, lambda: self.read("cold"))
        answer = self.client.restore_object(oss.RestoreObjectRequest(bucket=self.bucket, key="cold"))
        self.assertEqual(answer.status_code, 202)
        self.assertIn('ongoing-request="', self.head("cold").restore)

    def test_encryption_is_answered(self):
        answer = self.put("k", server_side_encryption="AES256")
        answered = answer.headers.get("x-oss-server-side-encryption")
        self.assertEqual((answered, self.head("k").server_side_encryption), ("AES256", "AES256"))

    def test_the_meta_of_an_object(self):
        self.put("k", b"12345")
        meta = self.client.get_object_meta(oss.GetObjectMetaRequest(bucket=self.bucket, key="k"))
        self.assertEqual(meta.content_length, 5)


class Uploads(Scenarios):
    def start(self, key, **options):
        return self.client.initiate_multipart_upload(
            oss.InitiateMultipartUploadRequest(bucket=self.bucket, key=key, **options)
        ).upload_id

    def part(self, key, upload_id, number, body):
        request = oss.UploadPartRequest(bucket=self.bucket, key=key, upload_id=upload_id, part_number=number, body=body)
        return oss.UploadPart(part_number=number, etag=self.client.upload_part(request).etag)

    def complete(self, key, upload_id, parts):
        request = oss.CompleteMultipartUploadRequest(
            bucket=self.bucket,
            key=key,
            upload_id=upload_id,
            complete_multipart_upload=oss.CompleteMultipartUpload(parts=parts),
        )
        return self.client.complete_multipart_upload(request)

    def test_parts_become_one_object(self):
        upload_id = self.start("k", metadata={"a": "1"})
        parts = [self.part("k", upload_id, 1, b"a" * PART_BYTES), self.part("k", upload_id, 2, b"b")]
        listed = self.client.list_parts(oss.ListPartsRequest(bucket=self.bucket, key="k", upload_id=upload_id))
        self.assertEqual([part.size for part in listed.parts], [PART_BYTES, 1])
        self.assertRegex(self.complete("k", upload_id, parts).etag, r"-2")
        self.assertEqual(self.read("k"), b"a" * PART_BYTES + b"b")
        self.assertEqual((self.head("k").object_type, self.head("k").metadata.get("a")), ("Multipart", "1"))

    def test_a_part_that_is_too_small_is_refused(self):
        upload_id = self.start("k")
        parts = [self.part("k", upload_id, 1, b"a"), self.part("k", upload_id, 2, b"b")]
        self.refused("EntityTooSmall", 400, lambda: self.complete("k", upload_id, parts))

    def test_parts_in_another_order_are_refused(self):
        upload_id = self.start("k")
        parts = [self.part("k", upload_id, 1, b"a" * PART_BYTES), self.part("k", upload_id, 2, b"b")]
        self.refused("InvalidPartOrder", 400, lambda: self.complete("k", upload_id, parts[::-1]))

    def test_parts_are_copied(self):
        self.put("from", b"x" * PART_BYTES + b"y")
        upload_id = self.start("k")
        copied = []
        for number, wanted in ((1, f"bytes=0-{PART_BYTES - 1}"), (2, f"bytes={PART_BYTES}-{PART_BYTES}")):
            request = oss.UploadPartCopyRequest(
                bucket=self.bucket,
                key="k",
                upload_id=upload_id,
                part_number=number,
                source_key="from",
                source_bucket=self.bucket,
                source_range=wanted,
            )
            copied.append(oss.UploadPart(part_number=number, etag=self.client.upload_part_copy(request).etag))
        self.complete("k", upload_id, copied)
        self.assertEqual(self.read("k"), b"x" * PART_BYTES + b"y")

    def test_an_aborted_upload_is_gone(self):
        upload_id = self.start("k")
        listed = self.client.list_multipart_uploads(oss.ListMultipartUploadsRequest(bucket=self.bucket))
        self.assertEqual([upload.upload_id for upload in listed.uploads], [upload_id])
        where = {"bucket": self.bucket, "key": "k", "upload_id": upload_id}
        self.client.abort_multipart_upload(oss.AbortMultipartUploadRequest(**where))
        self.refused("NoSuchUpload", 404, lambda: self.client.list_parts(oss.ListPartsRequest(**where)))

    def test_the_managers_move_a_file(self):
        body = os.urandom(7 * PART_BYTES + 1)
        with tempfile.TemporaryDirectory() as folder:
            there, back = os.path.join(folder, "there"), os.path.join(folder, "back")
            with open(there, "wb") as file:
                file.write(body)
            where = {"bucket": self.bucket, "key": "large"}
            self.client.uploader(part_size=PART_BYTES, parallel_num=3).upload_file(oss.PutObjectRequest(**where), filepath=there)
            self.client.downloader(part_size=PART_BYTES, parallel_num=3).download_file(oss.GetObjectRequest(**where), filepath=back)
            with open(back, "rb") as file:
                self.assertEqual(file.read(), body)


class Listings(Scenarios):
    def test_pages_prefixes_and_delimiters(self):
        for key in ("a/1", "a/2", "b", "c&d"):
            self.put(key)
        pages = list(self.client.list_objects_v2_paginator().iter_page(oss.ListObjectsV2Request(bucket=self.bucket, max_keys=2)))
        self.assertEqual([one.key for page in pages for one in page.contents], ["a/1", "a/2", "b", "c&d"])
        self.assertEqual(len(pages), 2)
        folders = self.client.list_objects_v2(oss.ListObjectsV2Request(bucket=self.bucket, delimiter="/"))
        self.assertEqual([one.prefix for one in folders.common_prefixes], ["a/"])
        after = self.client.list_objects_v2(oss.ListObjectsV2Request(bucket=self.bucket, start_after="a/2"))
        self.assertEqual([one.key for one in after.contents], ["b", "c&d"])
        first = self.client.list_objects(oss.ListObjectsRequest(bucket=self.bucket, marker="a/1", prefix="a/"))
        self.assertEqual([one.key for one in first.contents], ["a/2"])

    def test_buckets(self):
        found = self.client.list_buckets(oss.ListBucketsRequest(prefix=self.bucket))
        self.assertEqual([one.name for one in found.buckets], [self.bucket])

    def test_the_statistics_of_a_bucket(self):
        self.put("k", b"12345")
        stat = self.client.get_bucket_stat(oss.GetBucketStatRequest(bucket=self.bucket))
        self.assertGreaterEqual(stat.object_count, 0)


class Versions(Scenarios):
    def test_versions_and_delete_markers(self):
        enabled = oss.VersioningConfiguration(status="Enabled")
        self.client.put_bucket_versioning(oss.PutBucketVersioningRequest(bucket=self.bucket, versioning_configuration=enabled))
        status = self.client.get_bucket_versioning(oss.GetBucketVersioningRequest(bucket=self.bucket))
        self.assertEqual(status.version_status, "Enabled")
        first, second = self.put("k", b"1").version_id, self.put("k", b"2").version_id
        self.assertEqual((self.read("k"), self.read("k", version_id=first)), (b"2", b"1"))
        gone = self.client.delete_object(oss.DeleteObjectRequest(bucket=self.bucket, key="k"))
        self.assertTrue(gone.delete_marker)
        self.refused("NoSuchKey", 404, lambda: self.read("k"))
        listed = self.client.list_object_versions(oss.ListObjectVersionsRequest(bucket=self.bucket))
        self.assertEqual([one.version_id for one in listed.version], [second, first])
        self.assertEqual([one.version_id for one in listed.delete_marker], [gone.version_id])
        marker = oss.DeleteObjectRequest(bucket=self.bucket, key="k", version_id=gone.version_id)
        self.client.delete_object(marker)
        self.assertEqual(self.read("k"), b"2")


class Presigned(Scenarios):
    def test_a_url_reads_and_one_writes(self):
        write = self.client.presign(oss.PutObjectRequest(bucket=self.bucket, key="k"))
        self.assertEqual(requests.put(write.url, data=b"signed", headers=write.signed_headers, timeout=10).status_code, 200)
        read = self.client.presign(oss.GetObjectRequest(bucket=self.bucket, key="k"))
        self.assertEqual(requests.get(read.url, timeout=10).content, b"signed")
        self.assertEqual(requests.get(read.url.replace("/k?", "/other?"), timeout=10).status_code, 403)

    def test_a_url_expires(self):
        self.put("k")
        past = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)
        request = oss.GetObjectRequest(bucket=self.bucket, key="k")
        with self.assertRaises(oss.exceptions.PresignExpirationError):
            self.client.presign(request, expires=datetime.timedelta(days=8))
        old = client(signature_version="v1").presign(request, expiration=past)
        self.assertEqual(requests.get(old.url, timeout=10).status_code, 403)


class Settings(Scenarios):
    def test_acl(self):
        self.client.put_bucket_acl(oss.PutBucketAclRequest(bucket=self.bucket, acl="public-read"))
        self.assertEqual(self.client.get_bucket_acl(oss.GetBucketAclRequest(bucket=self.bucket)).acl, "public-read")

    def test_info_and_location(self):
        info = self.client.get_bucket_info(oss.GetBucketInfoRequest(bucket=self.bucket)).bucket_info
        self.assertEqual((info.name, info.location, info.extranet_endpoint), (self.bucket, f"oss-{REGION}", f"oss-{REGION}.aliyuncs.com"))
        where = self.client.get_bucket_location(oss.GetBucketLocationRequest(bucket=self.bucket))
        self.assertEqual(where.location, f"oss-{REGION}")

    def test_policy(self):
        resource = f"acs:oss:*:*:{self.bucket}/*"
        text = '{"Version":"1","Statement":[{"Effect":"Deny","Action":["oss:GetObject"],"Principal":["*"],"Resource":["%s"]}]}' % resource
        self.client.put_bucket_policy(oss.PutBucketPolicyRequest(bucket=self.bucket, body=text))
        self.assertIn(resource, self.client.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=self.bucket)).body)
        self.client.delete_bucket_policy(oss.DeleteBucketPolicyRequest(bucket=self.bucket))
        self.refused("NoSuchBucketPolicy", 404, lambda: self.client.get_bucket_policy(oss.GetBucketPolicyRequest(bucket=self.bucket)))

    def test_encryption(self):
        by_default = oss.ApplyServerSideEncryptionByDefault(sse_algorithm="AES256")
        rule = oss.ServerSideEncryptionRule(apply_server_side_encryption_by_default=by_default)
        self.client.put_bucket_encryption(oss.PutBucketEncryptionRequest(bucket=self.bucket, server_side_encryption_rule=rule))
        self.put("k")
        self.assertEqual(self.head("k").server_side_encryption, "AES256")

    def test_lifecycle(self):
        rule = oss.LifecycleRule(id="old", prefix="log/", status="Enabled", expiration=oss.LifecycleRuleExpiration(days=7))
        request = oss.PutBucketLifecycleRequest(bucket=self.bucket, lifecycle_configuration=oss.LifecycleConfiguration(rules=[rule]))
        self.client.put_bucket_lifecycle(request)
        got = self.client.get_bucket_lifecycle(oss.GetBucketLifecycleRequest(bucket=self.bucket)).lifecycle_configuration
        self.assertEqual([(one.id, one.prefix, one.expiration.days) for one in got.rules], [("old", "log/", 7)])

    def test_cors(self):
        rule = oss.CORSRule(allowed_origins=["*"], allowed_methods=["GET"], allowed_headers=["*"])
        rules = oss.CORSConfiguration(cors_rules=[rule])
        self.client.put_bucket_cors(oss.PutBucketCorsRequest(bucket=self.bucket, cors_configuration=rules))
        got = self.client.get_bucket_cors(oss.GetBucketCorsRequest(bucket=self.bucket)).cors_configuration
        self.assertEqual([one.allowed_methods for one in got.cors_rules], [["GET"]])

    def test_public_access_block(self):
        block = oss.PublicAccessBlockConfiguration(block_public_access=True)
        request = oss.PutBucketPublicAccessBlockRequest(bucket=self.bucket, public_access_block_configuration=block)
        self.client.put_bucket_public_access_block(request)
        refuse = oss.PutBucketAclRequest(bucket=self.bucket, acl="public-read")
        self.refused("AccessDenied", 403, lambda: self.client.put_bucket_acl(refuse))

    def test_a_bucket_with_objects_is_not_deleted(self):
        self.put("k")
        self.refused("BucketNotEmpty", 409, lambda: self.client.delete_bucket(oss.DeleteBucketRequest(bucket=self.bucket)))
