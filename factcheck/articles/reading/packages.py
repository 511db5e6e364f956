"""The zip files that word processors write, opened within limits; nothing that they point at outside is asked for."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import Any

from lxml import etree

from factcheck.articles.reading.found import TooLarge, Unreadable

MEMBERS_MAX = 10_000
# Of one part, unpacked: the words of a long book with all their formatting.
PART_MAX_BYTES = 40 * 1024 * 1024
_PIECE_BYTES = 256 * 1024


class Package:
    def __init__(self, data: bytes) -> None:
        """Raises Unreadable."""
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
            raise Unreadable("damaged") from error
        infos = self._zip.infolist()
        if len(infos) > MEMBERS_MAX:
            raise TooLarge("members")
        self._names = {info.filename for info in infos}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        content = bytearray()
        try:
            if self._zip.getinfo(name).flag_bits & 1:
                raise Unreadable("encrypted")
            with self._zip.open(name) as member:
                while piece := member.read(_PIECE_BYTES):
                    content += piece
                    if len(content) > PART_MAX_BYTES:
                        raise TooLarge("part")
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            KeyError,
            NotImplementedError,
            RuntimeError,
            OSError,
        ) as error:
            raise Unreadable("damaged") from error
        return bytes(content)

    def xml(self, name: str) -> Any:
        """The root of a part. Raises Unreadable, also for a part that defines entities."""
        # Without huge_tree, libxml2's own limits of depth (256) and of a node's size (10 MB) hold.
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
        )
        try:
            root = etree.fromstring(self.read(name), parser=parser)
        except etree.XMLSyntaxError as error:
            raise Unreadable("damaged") from error
        if root.getroottree().docinfo.internalDTD is not None:
            raise Unreadable("damaged")
        return root

    def xml_or_none(self, name: str) -> Any:
        return self.xml(name) if name in self else None


def local(element: Any) -> str:
    """An element's name without its namespace; "" of what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str, default: str = "") -> str:
    """By its name alone: the strict and the transitional form of a format differ in namespaces only."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def child(element: Any, *names: str) -> Any:
    """The first descendant along these names, or None."""
    for name in names:
        element = next((one for one in element if local(one) == name), None)
        if element is None:
            return None
    return element


def resolved(part: str, target: str) -> str:
    """The name of a part that another one points at."""
    if target.startswith("/"):
        return target.lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))
