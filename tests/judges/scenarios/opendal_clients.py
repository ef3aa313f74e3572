"""What Apache OpenDAL does with the local OSS and the local S3. The expectations are those of its own documentation of an operator."""

import os
import unittest

import boto3
import oss2
import opendal


BUCKET = "from-opendal"


class Stores(unittest.TestCase):
    """The scenarios of both stores."""

    def setUp(self):
        self.store = self.make_operator()

    def make_operator(self):
        raise NotImplementedError

    def test_write_and_read(self):
        self.store.write("a/b 文件.txt", b"\x00\xff")
        self.assertEqual(bytes(self.store.read("a/b 文件.txt")), b"\x00\xff")

    def test_stat(self):
        self.store.write("stat.txt", b"12345", content_type="text/plain", cache_control="no-cache")
        meta = self.store.stat("stat.txt")
        self.assertEqual((meta.content_length, meta.content_type), (5, "text/plain"))
        self.assertTrue(meta.etag)

    def test_an_absent_key(self):
        with self.assertRaises(opendal.exceptions.NotFound):
            self.store.read("absent")
        self.assertFalse(self.store.exists("absent"))

    def test_write_only_if_absent(self):
        self.store.write("once", b"1", if_not_exists=True)
        with self.assertRaises(opendal.exceptions.ConditionNotMatch):
            self.store.write("once", b"2", if_not_exists=True)

    def test_copy(self):
        self.store.write("from", b"copied")
        self.store.copy("from", "to")
        self.assertEqual(bytes(self.store.read("to")), b"copied")

    def test_list(self):
        for key in ("list/1", "list/2", "list/sub/3"):
            self.store.write(key, b"x")
        names = sorted(entry.path for entry in self.store.list("list/") if entry.path != "list/")
        self.assertEqual(names, ["list/1", "list/2", "list/sub/"])

    def test_remove_all(self):
        for key in ("gone/1", "gone/2"):
            self.store.write(key, b"x")
        self.store.remove_all("gone/")
        self.assertEqual([entry.path for entry in self.store.list("gone/") if entry.path != "gone/"], [])

    def test_a_file_in_parts(self):
        body = os.urandom(12 * 1024 * 1024 + 1)
        with self.store.open("large", "wb") as file:
            for at in range(0, len(body), 1024 * 1024):
                file.write(body[at : at + 1024 * 1024])
        with self.store.open("large", "rb") as file:
            file.seek(6 * 1024 * 1024)
            self.assertEqual(file.read(100), body[6 * 1024 * 1024 : 6 * 1024 * 1024 + 100])
        self.assertEqual(self.store.stat("large").content_length, len(body))


class Oss(Stores):
    def make_operator(self):
        endpoint = os.environ["OSS_ENDPOINT"]
        key = os.environ["OSS_ACCESS_KEY_ID"], os.environ["OSS_ACCESS_KEY_SECRET"]
        oss2.Bucket(oss2.Auth(*key), endpoint, BUCKET).create_bucket()
        # Its own name lookup cannot be told where a host is.
        os.environ["http_proxy"] = os.environ["OSS_PROXY"]
        return opendal.Operator(
            "oss",
            bucket=BUCKET,
            endpoint=endpoint,
            access_key_id=os.environ["OSS_ACCESS_KEY_ID"],
            access_key_secret=os.environ["OSS_ACCESS_KEY_SECRET"],
        )


class S3(Stores):
    def make_operator(self):
        names = {"endpoint_url": "S3_ENDPOINT", "region_name": "S3_REGION", "aws_access_key_id": "S3_ACCESS_KEY_ID"}
        options = {option: os.environ[name] for option, name in names.items()}
        boto3.client("s3", aws_secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"], **options).create_bucket(Bucket=BUCKET)
        return opendal.Operator(
            "s3",
            bucket=BUCKET,
            endpoint=os.environ["S3_ENDPOINT"],
            region=os.environ["S3_REGION"],
            access_key_id=os.environ["S3_ACCESS_KEY_ID"],
            secret_access_key=os.environ["S3_SECRET_ACCESS_KEY"],
        )


# Only the two below it run.
del Stores
