"""A folder in any store Hadoop reads: HDFS, S3 and the like, or this machine's disk."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

OWNER_ONLY = 0o700
BUFFER = 1 << 16


class Found(NamedTuple):
    """A file.

    Attributes:
        name: its path below the folder, with ``/`` between the parts.
        address: where it lies, as Hadoop writes it.
        url: the same, with ``%20`` and the like for what is special.
    """

    name: str
    address: str
    url: str
    bytes: int


class HadoopFolder:
    """A folder, which need not be there yet.

    All methods fail with what Spark's errors are, which ``spark_session`` tells in words.
    """

    def __init__(self, spark: SparkSession, address: str) -> None:
        """The folder at an absolute URL."""
        self._java: Any = spark.sparkContext._jvm  # noqa: SLF001 there is no other way to Hadoop
        configured = spark.sparkContext._jsc.hadoopConfiguration()  # noqa: SLF001
        path = self._path(address)
        self._store = path.getFileSystem(configured)
        self._store.setWriteChecksum(False)  # of this machine's files, in files beside them
        self._root = self._store.makeQualified(path)
        self.address: str = self._root.toString()

    def _path(self, *parts: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(*parts)

    def _below(self, name: str) -> Any:
        return self._path(self.address, name)

    def addresses(self, name: str) -> tuple[str, str]:
        """The address of what has this name in the folder, and the same as a URL."""
        path = self._below(name)
        return str(path.toString()), str(path.toUri().toString())

    def at(self, name: str) -> str:
        """The address of what has this name in the folder."""
        return self.addresses(name)[0]

    def is_folder(self) -> bool:
        """Whether it is there, and no file."""
        there = self._store.exists(self._root)
        return bool(there and self._store.getFileStatus(self._root).isDirectory())

    def make(self) -> None:
        """Make it, where it is not; a new one is for its owner alone."""
        if not self._store.exists(self._root):
            permission = self._java.org.apache.hadoop.fs.permission.FsPermission
            self._store.mkdirs(self._root, permission(str(oct(OWNER_ONLY))[2:]))

    def names(self) -> list[str]:
        """What is directly in it."""
        return [each.getPath().getName() for each in self._store.listStatus(self._root)]

    def has(self, name: str) -> bool:
        """Whether there is something of this name in it."""
        return bool(self._store.exists(self._below(name)))

    def found(self) -> Iterator[Found]:
        """Every file in it and in the folders below."""
        start = len(self._root.toUri().getPath().rstrip("/")) + 1
        files = self._store.listFiles(self._root, True)
        while files.hasNext():
            status = files.next()
            yield self._told(status.getPath(), start, status.getLen())

    def _told(self, path: Any, start: int, size: int) -> Found:
        url = path.toUri()
        return Found(url.getPath()[start:], path.toString(), url.toString(), size)

    def opened(self, address: str) -> BinaryIO:
        """The bytes of a file, by its address."""
        stream = _Bytes(self._store.open(self._path(address)))
        return cast("BinaryIO", io.BufferedReader(stream, BUFFER))

    def content(self, name: str) -> bytes:
        """What the file of this name holds."""
        with self.opened(self.at(name)) as file:
            return file.read()

    def write(self, name: str, text: str) -> None:
        """Write a file that is there as a whole, or not."""
        unfinished = self._below(f".{name}.unfinished")
        file = self._store.create(unfinished, True)
        file.write(bytearray(text.encode()))
        file.close()
        self.delete(name)
        self._store.rename(unfinished, self._below(name))

    def delete(self, name: str) -> None:
        """Let nothing of this name be there, neither file nor folder."""
        self._store.delete(self._below(name), True)


class _Bytes(io.RawIOBase):
    """A Java stream as a file of Python."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        some: bytes = self._stream.readNBytes(len(buffer))
        buffer[: len(some)] = some
        return len(some)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()
