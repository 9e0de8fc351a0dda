"""Object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

Credentials and the address of the service come from the usual environment variables (AWS_…,
GOOGLE_…, AZURE_…), and from the machine itself where it has a role.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

from pipeline.errors import ConfigError, FileMissing, Stopping, StoreError, UsageError
from pipeline.store.files import StoredObject

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

T = TypeVar("T")

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_WHOLE = 8 << 20  # bytes that go in one request; more goes in parts of this size
_SIDE_BY_SIDE = 2  # parts of one object
_TIMEOUT = timedelta(seconds=60)  # of a request of at most 8 MiB
_PATIENCE_S = 120.0  # how long one step is tried
_LONGEST_PAUSE_S = 8.0
_REFUSALS = 3  # how often a refused login is tried: a service may refuse too much at once so
_FINAL = {"400", "404", "405", "411", "501"}  # a service that does not know what it is asked for
_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?(?:/[A-Za-z0-9_.~/-]*)?"
)
_REGION = re.compile(r"[A-Za-z0-9_-]*")
_STATUS = re.compile(r"status code: (\d{3}(?: [A-Za-z]+)*)")


class CloudBucket:
    """A bucket, or the part of one whose objects begin with the prefix of the address."""

    def __init__(self, url: str, patience_s: float | None = None) -> None:
        """*patience_s*: how many seconds a step is tried again before it fails.

        :raises UsageError: the part of the program for object stores is not installed.
        :raises StoreError: the address would send footage unencrypted.
        """
        self.url = url
        self._patience_s = _PATIENCE_S if patience_s is None else patience_s
        scheme = urlsplit(url).scheme
        # S3 itself checks; of others that speak like it, it can't be known
        self.checks_bytes = scheme == "s3" and not _endpoint()
        self._store = _opened(url)
        self._is_stopped = threading.Event()

    def begin(self) -> None:
        """Do nothing: buckets are made by those who pay for them."""

    def overlaps(self, folder: Path) -> bool:
        """No: it is on other machines."""
        del folder
        return False

    def put(self, key: str, file: Path, *, replace: bool = False) -> bool:
        """Publish a file: a small one in one request, a large one in parts."""
        from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415 - an optional part

        mode: Literal["create", "overwrite"] = "overwrite" if replace else "create"
        try:
            if file.stat().st_size <= _WHOLE:
                data = file.read_bytes()
                self._tried(lambda store: store.put(key, data, mode=mode))
            elif not replace and self.size(key) is not None:
                return False
            else:
                # no reader sees it before its last part; what had the same name has equal bytes
                self._tried(
                    lambda store: store.put(
                        *(key, file),
                        use_multipart=True,
                        chunk_size=_WHOLE,
                        max_concurrency=_SIDE_BY_SIDE,
                    )
                )
        except AlreadyExistsError:
            return False
        except FileNotFoundError as error:
            raise self._no_bucket() from error
        return True

    def try_writing(self, key: str) -> None:
        """Ask for a new object under a name that is in use, with the bytes that it has.

        The service refuses such a name only after it has let the login write.
        """
        from obstore.exceptions import AlreadyExistsError  # noqa: PLC0415 - an optional part

        data = self.read(key, 0, self.size(key) or 0)
        with suppress(AlreadyExistsError):
            self._tried(lambda store: store.put(key, data, mode="create"))

    def size(self, key: str) -> int | None:
        """Ask for the size of an object."""
        try:
            return self._tried(lambda store: store.head(key))["size"]
        except FileNotFoundError:
            return None

    def read(self, key: str, start: int, end: int) -> bytes:
        """Read a part of an object."""
        if start >= end:
            return b""
        try:
            return bytes(self._tried(lambda store: store.get_range(key, start=start, end=end)))
        except FileNotFoundError as error:
            raise FileMissing(f"{key} is not in the store {self.url}") from error

    def listed(self, folder: str) -> Iterator[StoredObject]:
        """List objects, a thousand with each request."""
        try:
            found = self._tried(lambda store: store.list(folder.rstrip("/")).collect())
        except FileNotFoundError as error:
            raise self._no_bucket() from error
        yield from (StoredObject(meta["path"], meta["size"]) for meta in found)

    def delete(self, key: str) -> None:
        """Delete an object."""
        with suppress(FileNotFoundError):
            self._tried(lambda store: store.delete(key), is_deletion=True)

    def stop(self) -> None:
        """Try no step again from now on."""
        self._is_stopped.set()

    def faults(self, folder: str) -> Iterator[str]:
        """Try an upload that is given up, a deleted object's old version, and a stranger."""
        yield from self._faults_of_parts(f"{folder}parts")
        key = f"{folder}version"
        written = self._tried(lambda store: store.put(key, b"version"))
        if self._is_public(key):
            yield "everybody can read it without a login: make it private"
        self.delete(key)
        version = written["version"]
        if version and self._has_version(key, version):
            yield (
                "it keeps old versions of deleted objects, so withdrawn footage would stay: "
                "switch off versioning and object lock, or take another bucket"
            )

    def _faults_of_parts(self, key: str) -> Iterator[str]:
        is_early = self._tried(lambda store: self._is_seen_early(store, key))
        if is_early or self.size(key) is not None:
            yield "it shows an object before the last part of it was sent"
            self.delete(key)

    def _is_seen_early(self, store: ObjectStore, key: str) -> bool:
        """Give an upload up before its last part; whether its object was seen all the same.

        :raises FileNotFoundError: the bucket does not exist.
        """
        import obstore  # noqa: PLC0415 - an optional part

        is_early: bool | None = None
        try:
            with suppress(_GivenUp), obstore.open_writer(store, key, buffer_size=5 << 20) as part:
                part.write(bytes(11 << 20))
                is_early = self.size(key) is not None
                raise _GivenUp
        except FileNotFoundError:
            # the store may have deleted the parts, and its answer got lost
            if is_early is None:
                raise
        return bool(is_early)

    def _is_public(self, key: str) -> bool:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an optional part

        with suppress(BaseError, OSError):
            _opened(self.url, is_stranger=True).get(key)
            return True
        return False

    def _has_version(self, key: str, version: str) -> bool:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an optional part

        with suppress(BaseError, OSError):
            self._store.get(key, options={"version": version})
            return True
        return False

    def _tried(self, act: Callable[[ObjectStore], T], *, is_deletion: bool = False) -> T:
        """Do a step; try it again while the store does not answer.

        :param is_deletion: the step deletes, for which a login needs a right of its own.
        :raises FileNotFoundError: there is no such object.
        :raises AlreadyExistsError: there is one.
        :raises StoreError: it was tried for long enough.
        :raises Stopping: the run ends.
        """
        from obstore import exceptions  # noqa: PLC0415 - an optional part

        final = (exceptions.AlreadyExistsError, exceptions.NotSupportedError)
        refusals = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        until, pause, refused = time.monotonic() + self._patience_s, 0.25, 0
        while True:
            try:
                return act(self._store)
            except (*final, FileNotFoundError):
                raise
            except exceptions.BaseError as error:
                status = _STATUS.search(str(error))
                is_refusal = isinstance(error, refusals)
                is_refusal |= status is not None and status[1][:3] in ("401", "403")
                refused += is_refusal or (status is not None and status[1][:3] in _FINAL)
                if time.monotonic() + pause > until or refused == _REFUSALS:
                    if is_refusal and is_deletion:
                        raise self._undeletable(status) from error
                    raise self._fault(status, is_refusal=is_refusal) from error
            if self._is_stopped.wait(pause):
                raise Stopping
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _no_bucket(self) -> StoreError:
        return StoreError(f"there is no such bucket: {self.url}; make it, or correct the address")

    def _undeletable(self, status: re.Match[str] | None) -> StoreError:
        said = f" ({status[1]})" if status else ""
        return StoreError(
            f"the store {self.url} refuses to delete{said}: the login needs the right to delete, "
            "or it is not valid any more. What was to be deleted is still there"
        )

    def _fault(self, status: re.Match[str] | None, *, is_refusal: bool) -> StoreError:
        """The sentence for an error of the store, without what the service wrote."""
        if status is not None and status[1].startswith("404"):
            return self._no_bucket()
        said = f" ({status[1]})" if status else ""
        if is_refusal:
            return StoreError(
                f"the store {self.url} refuses the login{said}: check the credentials in the "
                "environment, and what they may do. What was to be done there is not done"
            )
        return StoreError(
            f"the store {self.url} does not answer, or refuses{said}; nothing is lost, run again"
        )


class _GivenUp(Exception):
    """An upload is given up on purpose."""


def _endpoint() -> str:
    return next((value for name in _ENDPOINTS if (value := os.environ.get(name))), "")


def _known_endpoint() -> SplitResult:
    """The address of the service in its parts.

    :raises ConfigError: it, or the region, has an impossible form, which breaks the library for
        object stores.
    """
    address = _endpoint()
    if address and not _is_address(address):
        # the value is not repeated, because it may have a password in it
        raise ConfigError(
            [
                "AWS_ENDPOINT_URL in the environment is not an address: it must begin with "
                "https:// or http://, then the machine, as https://store.example.org:9000"
            ]
        )
    if not _REGION.fullmatch(os.environ.get("AWS_REGION", "")):
        raise ConfigError(["AWS_REGION in the environment is not the name of a region"])
    return urlsplit(address)


def _is_address(text: str) -> bool:
    with suppress(ValueError):
        return bool(_ADDRESS.fullmatch(text)) and urlsplit(text).port != 0
    return False


def _opened(url: str, *, is_stranger: bool = False) -> ObjectStore:
    """Open a store; nothing is sent yet.

    :param is_stranger: without any credentials.
    :raises ConfigError: the environment names no possible address.
    """
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an optional part
        from obstore.store import AzureStore, GCSStore, S3Store  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise UsageError(
            "object stores need a part of the program that is not installed: make extras"
        ) from error
    client: ClientConfig = {"timeout": _TIMEOUT, "connect_timeout": timedelta(seconds=10)}
    endpoint = _known_endpoint() if url.startswith("s3:") else urlsplit("")
    if endpoint.scheme == "http":
        allowed = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true")
        if endpoint.hostname not in _LOOPBACK and not allowed:
            raise StoreError(
                f"AWS_ENDPOINT_URL is {endpoint.scheme}://{endpoint.hostname}, which would send "
                "footage and places unencrypted: use https. In a network that is closed to "
                "others, AWS_ALLOW_HTTP=true allows it"
            )
        client["allow_http"] = True
    options: S3Config = {"checksum_algorithm": "SHA256", "disable_bulk_delete": True}
    # this program tries again itself; here only what breaks in the middle of an answer is
    few: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=30)}
    try:
        if url.startswith("s3:"):
            if is_stranger:
                options["skip_signature"] = True
            return S3Store.from_url(url, config=options, client_options=client, retry_config=few)
        if url.startswith("gs:"):
            return GCSStore.from_url(url, client_options=client, skip_signature=is_stranger)
        return AzureStore.from_url(url, client_options=client, skip_signature=is_stranger)
    except BaseError as error:
        raise StoreError(
            f"the store {url} can't be opened; check the variables of the environment"
        ) from error
