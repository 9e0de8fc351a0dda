"""Buckets keep what they promise, and no trouble of theirs costs a byte of footage."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.object_store import BUCKET, ObjectServer

from pipeline.errors import BytesChanged, ConfigError, FileMissing, Stopping, StoreError, UsageError
from pipeline.store import FootageFile, StoredObject, original, promises, still_of
from pipeline.store.bucket import Bucket, kind_of
from pipeline.store.cloud import CloudBucket
from pipeline.store.files import OWNER
from pipeline.store.remote import BucketStore
from pipeline.store.shared import SharedFolder
from pipeline.workspace import Workspace

_LARGE = 9 << 20  # more than goes in one request


@dataclass(frozen=True)
class StoreScene:
    """A workspace folder with a bucket behind it, and a second view of the same bucket."""

    workspace: Workspace
    bucket: Bucket
    store: BucketStore

    @classmethod
    def of(cls, folder: Path, bucket: Bucket) -> StoreScene:
        """A new workspace in *folder*, with *bucket* behind it."""
        workspace = Workspace(folder / "work")
        workspace.create()
        return cls(workspace, bucket, BucketStore(workspace, bucket))

    @classmethod
    def in_cloud(cls, folder: Path, patience_s: float | None = None) -> StoreScene:
        """The same with a part of its own of the object server's bucket."""
        bucket = CloudBucket(f"s3://{BUCKET}/{folder.name}", patience_s=patience_s)
        return cls.of(folder, bucket)

    def write(self, data: bytes) -> FootageFile:
        """Put an original into the workspace folder."""
        file = original(hashlib.sha256(data).hexdigest())
        path = self.workspace.root / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return file

    def is_here(self, file: FootageFile) -> bool:
        """Whether the workspace folder has the file."""
        return (self.workspace.root / file.path).exists()

    def again(self) -> BucketStore:
        """What another run sees."""
        return BucketStore(self.workspace, self.bucket)


@pytest.fixture(params=["s3", "folder"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> StoreScene:
    """A new workspace with a new part of each kind of bucket."""
    if request.param == "s3":
        request.getfixturevalue("object_server")
        return StoreScene.in_cloud(tmp_path)
    bucket = SharedFolder(f"file://{tmp_path}/shared")
    bucket.begin()
    return StoreScene.of(tmp_path, bucket)


def test_a_file_is_deleted_here_only_when_it_is_there(scene: StoreScene) -> None:
    file = scene.write(b"footage")
    assert scene.store.publish([file]) == ()
    assert not scene.is_here(file)
    again = scene.again()
    assert again.holds(file)
    assert again.size(file) == 7
    assert b"".join(again.pieces(file, 2, 5)) == b"ota"
    with again.at_hand([file]):
        assert (scene.workspace.root / file.path).read_bytes() == b"footage"
    assert not scene.is_here(file)
    assert [each.key for each in again.beyond(file.folder)] == [file.key]
    again.delete(file.key)
    assert not scene.again().holds(file)
    with pytest.raises(FileMissing):
        again.size(file)


def test_a_large_file_goes_in_parts_and_comes_back_in_pieces(scene: StoreScene) -> None:
    data = os.urandom(_LARGE)
    file = scene.write(data)
    scene.store.publish([file])
    assert b"".join(scene.again().pieces(file)) == data
    assert b"".join(scene.again().pieces(file, _LARGE - 5)) == data[-5:]


def test_what_is_there_already_is_compared_before_it_is_deleted_here(scene: StoreScene) -> None:
    """A run that was killed may have sent a file, and a broken machine another under its name."""
    file = scene.write(b"footage")
    scene.store.publish([file])
    scene.write(b"footage")
    scene.again().publish([file])
    assert not scene.is_here(file)
    lie = scene.workspace.root / "lie"
    lie.write_bytes(b"other")
    scene.bucket.put(file.key, lie, replace=True)
    with pytest.raises(BytesChanged), scene.again().at_hand([file]):
        pass
    assert not scene.is_here(file)
    scene.write(b"footage")
    scene.again().publish([file])
    assert b"".join(scene.again().pieces(file)) == b"footage"


def test_a_file_with_other_bytes_than_its_name_is_never_sent(scene: StoreScene) -> None:
    file = scene.write(b"footage")
    (scene.workspace.root / file.path).write_bytes(b"changed")
    assert scene.store.publish([file]) == (file,)
    assert scene.is_here(file)
    assert not scene.bucket.size(file.key)


def test_clips_with_other_bytes_have_other_names(scene: StoreScene) -> None:
    folder = scene.workspace.clips / ("a" * 64)
    files = []
    for data in (b"old", b"new"):
        clip = FootageFile(f"clips/{'a' * 64}/landscape.mp4", hashlib.sha256(data).hexdigest())
        folder.mkdir(exist_ok=True)
        (folder / "landscape.mp4").write_bytes(data)
        (folder / "landscape.jpg").write_bytes(b"still of " + data)
        scene.store.publish([clip, still_of(clip)])
        assert not folder.exists()
        files.append(clip)
    old, new = files
    with scene.again().at_hand([old, still_of(old)]):
        assert (folder / "landscape.mp4").read_bytes() == b"old"
        assert (folder / "landscape.jpg").read_bytes() == b"still of old"
    assert len(scene.again().beyond(old.folder)) == 4
    assert all(old.is_version(clip.key) for clip in (old, new))
    assert not old.is_version(still_of(old).key)


def test_buckets_keep_their_promises(scene: StoreScene) -> None:
    assert promises.broken(scene.bucket) == ()
    assert list(scene.bucket.listed("trial/")) == []


def test_a_shared_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    bucket = SharedFolder(f"file://{tmp_path}/shared")
    bucket.begin()
    file = tmp_path / "file"
    file.write_bytes(b"footage")
    assert bucket.put("clips/a", file)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "shared").rglob("*")]
    assert {mode & 0o077 for mode in modes} == {0}
    (tmp_path / "shared").chmod(0o755)
    assert promises.broken(bucket) == (f"others can enter it: chmod 700 {tmp_path}/shared",)


def test_what_a_killed_run_left_in_a_shared_folder_is_deleted_later(tmp_path: Path) -> None:
    SharedFolder(f"file://{tmp_path}/shared").begin()
    left, running = (tmp_path / "shared" / "incoming" / name for name in ("a.part", "b.part"))
    for path in (left, running):
        path.write_bytes(b"a part")
    os.utime(left, (0, 0))
    SharedFolder(f"file://{tmp_path}/shared")
    assert (left.exists(), running.exists()) == (False, True)


@pytest.fixture
def other_bucket(object_server: ObjectServer, tmp_path: Path) -> str:
    """The name of a bucket for one test."""
    name = hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]
    where = {"LocationConstraint": "eu-central-1"}
    object_server.client.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return name


def test_a_bucket_that_keeps_what_was_deleted_is_refused(
    object_server: ObjectServer, other_bucket: str
) -> None:
    versions = {"Status": "Enabled"}
    object_server.client.put_bucket_versioning(
        Bucket=other_bucket, VersioningConfiguration=versions
    )
    (fault,) = promises.broken(CloudBucket(f"s3://{other_bucket}"))
    assert "old versions of deleted objects" in fault


def test_a_bucket_that_everybody_reads_is_refused(
    object_server: ObjectServer, other_bucket: str
) -> None:
    object_server.client.put_bucket_policy(
        Bucket=other_bucket,
        Policy=(
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", '
            f'"Action": "s3:GetObject", "Resource": "arn:aws:s3:::{other_bucket}/*"}}]}}'
        ),
    )
    (fault,) = promises.broken(CloudBucket(f"s3://{other_bucket}"))
    assert "everybody can read it" in fault


class _Overwriting(SharedFolder):
    """A store that knows no put-if-absent."""

    def put(self, key: str, file: Path, *, replace: bool = False) -> bool:
        return super().put(key, file, replace=replace is not None)


class _Keeping(SharedFolder):
    """A store that deletes nothing."""

    def delete(self, key: str) -> None:
        pass


class _Forgetful(SharedFolder):
    """A store that does not list what was written."""

    def listed(self, folder: str) -> Iterator[StoredObject]:
        return super().listed(f"{folder}other/")


@pytest.mark.parametrize(
    ("kind", "said"),
    [(_Overwriting, "put-if-absent"), (_Keeping, "still there"), (_Forgetful, "list")],
)
def test_a_store_that_breaks_a_promise_is_refused(
    kind: type[SharedFolder], said: str, tmp_path: Path
) -> None:
    (fault,) = promises.broken(kind(f"file://{tmp_path}/shared"))
    assert said in fault


def test_a_store_that_refuses_in_the_middle_of_its_trial_is_asked_again(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    """Where an upload in parts begins, twice as the library itself asks twice, and at its end."""
    asked = Counter[str]()

    def changes(method: str, body: bytes) -> bytes | str:
        asked[method] += 1
        refused = method == "POST" and asked[method] <= 2
        # the second deletion is that of the upload: it is done, and nobody hears of it
        refused |= method == "DELETE" and asked[method] == 2
        return "503 Service Unavailable" if refused else body

    bucket = CloudBucket(f"s3://{BUCKET}/{tmp_path.name}")
    object_server.changes = changes
    try:
        assert promises.broken(bucket) == ()
    finally:
        object_server.changes = None
    assert asked["POST"] == 3
    assert list(bucket.listed("trial/")) == []


@contextmanager
def _refusing(server: ObjectServer, refuses: Callable[[int], bool]) -> Iterator[None]:
    server.refuses = refuses
    try:
        yield
    finally:
        server.refuses = None


def test_a_store_that_refuses_often_gets_everything(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    scene = StoreScene.in_cloud(tmp_path)
    files = [scene.write(b"footage %d" % number) for number in range(6)]
    with _refusing(object_server, lambda number: number % 3 == 0):
        assert scene.store.publish(files) == ()
    kept = object_server.objects(tmp_path.name)
    assert {hashlib.sha256(data).hexdigest() for data in kept.values()} == {
        file.sha256 for file in files
    }


@pytest.mark.parametrize(
    "wrong",
    [lambda _: b"", lambda body: body[:5], bytes.upper, lambda _: "404 Not Found"],
    ids=["nothing", "a part", "other bytes", "not found"],
)
def test_a_wrong_answer_is_noticed_and_asked_for_again(
    object_server: ObjectServer, tmp_path: Path, wrong: Callable[[bytes], bytes | str]
) -> None:
    scene = StoreScene.in_cloud(tmp_path)
    file = scene.write(b"footage")
    answers: list[bytes] = []

    def changes(method: str, body: bytes) -> bytes | str:
        """Each second answer with the object is wrong."""
        if method == "GET" and body == b"footage":
            answers.append(body)
            return wrong(body) if len(answers) % 2 else body
        return body

    object_server.changes = changes
    try:
        assert scene.store.publish([file]) == ()
        assert not scene.is_here(file)
        again = scene.again()
        with again.at_hand([file]):
            assert (scene.workspace.root / file.path).read_bytes() == b"footage"
    finally:
        object_server.changes = None
    assert len(answers) == 4


def test_a_store_that_stays_away_is_tried_for_a_bounded_time(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    scene = StoreScene.in_cloud(tmp_path, patience_s=0.5)
    file = scene.write(b"footage")
    with (
        _refusing(object_server, lambda _: True),
        pytest.raises(StoreError, match=r"503 .*nothing is lost, run again"),
    ):
        scene.store.publish([file])
    assert scene.is_here(file)
    scene.again().publish([file])
    assert not scene.is_here(file)


def test_a_run_that_ends_does_not_wait_for_a_store(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    scene = StoreScene.in_cloud(tmp_path)
    file = scene.write(b"footage")

    def refuses(_: int) -> bool:
        scene.store.stop()  # Ctrl-C comes while the store refuses
        return True

    with _refusing(object_server, refuses), pytest.raises(Stopping):
        scene.store.publish([file])
    assert scene.is_here(file)


def test_a_login_that_may_not_delete_is_not_called_wrong(
    object_server: ObjectServer, tmp_path: Path
) -> None:
    scene = StoreScene.in_cloud(tmp_path)
    object_server.changes = lambda method, _: "403 Forbidden" if method == "DELETE" else b""
    try:
        with pytest.raises(StoreError, match=r"refuses to delete \(403 Forbidden\)"):
            scene.store.delete("clips/a")
    finally:
        object_server.changes = None


def test_a_worker_tries_to_write_and_makes_no_object(
    object_server: ObjectServer, scene: StoreScene, tmp_path: Path
) -> None:
    scene.store.try_writing()  # a store that nobody has used yet
    note = tmp_path / "note"
    note.write_bytes(b"whose it is")
    scene.bucket.put(OWNER, note)
    scene.store.try_writing()
    assert [*scene.bucket.listed("")] == [StoredObject(OWNER, 11)]
    if isinstance(scene.bucket, SharedFolder):
        (tmp_path / "shared" / "incoming").rmdir()  # a folder that nothing can be written into
    object_server.changes = lambda method, body: "403 Forbidden" if method == "PUT" else body
    try:
        with pytest.raises(StoreError, match=r"403 Forbidden|is it mounted"):
            scene.store.try_writing()
    finally:
        object_server.changes = None


@pytest.mark.usefixtures("object_server")
def test_a_bucket_that_does_not_exist_is_named() -> None:
    with pytest.raises(StoreError, match="there is no such bucket: s3://nowhere-at-all"):
        promises.broken(CloudBucket("s3://nowhere-at-all/river"))


def test_a_missing_part_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    with pytest.raises(UsageError, match="not installed: make extras"):
        CloudBucket("s3://campaign/river")


def test_http_beyond_loopback_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example.org:9000")
    with pytest.raises(StoreError, match="unencrypted: use https"):
        CloudBucket("s3://campaign/river")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    CloudBucket("s3://campaign/river")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_ENDPOINT_URL", "127.0.0.1:5918"),
        ("AWS_ENDPOINT_URL_S3", "minio:9000"),
        ("AWS_ENDPOINT_URL", "http://"),
        ("AWS_ENDPOINT_URL", "https://minio:99999"),
        ("AWS_ENDPOINT_URL", "https://key:secret@minio"),
        ("AWS_ENDPOINT_URL", "https://minio/a b"),
        ("AWS_REGION", "eu central/"),
    ],
)
def test_an_impossible_address_of_a_service_is_an_error_of_the_settings(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name[:10]}.* in the environment is not") as fault:
        CloudBucket("s3://campaign/river")
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize(
    ("url", "is_known"),
    [
        ("s3://bucket", True),
        ("s3://bucket/river/week-2026", True),
        ("gs://bucket/river", True),
        ("az://account/container/river", True),
        ("file:///srv/footage", True),
        ("s3://key:secret@bucket", False),
        ("s3://bucket/a/../b", False),
        ("s3://bucket?region=x", False),
        ("az://account", False),
        ("file:///srv/with%20space", True),
        ("file:///srv/x%00y", False),
        ("file:///srv/x%0ay", False),
        ("file:///srv/x\0y", False),
        ("file://host/folder", False),
        ("memory:///", False),
        ("https://bucket.s3.amazonaws.com", False),
        ("/srv/footage", False),
    ],
)
def test_addresses_of_stores(url: str, is_known: bool) -> None:
    assert (kind_of(url) is not None) is is_known


def test_several_threads_use_one_store(scene: StoreScene) -> None:
    files = [scene.write(b"footage %d" % number) for number in range(8)]
    scene.store.publish(files)
    read: list[bytes] = []

    def work(file: FootageFile) -> None:
        with scene.store.at_hand([file]):
            read.append((scene.workspace.root / file.path).read_bytes())

    threads = [threading.Thread(target=work, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read) == sorted(b"footage %d" % number for number in range(8))
    assert not any(map(scene.is_here, files))
