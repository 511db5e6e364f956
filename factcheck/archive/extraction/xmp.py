"""The few properties of an XMP packet that say who made a file, when and with what (ISO 16684-1)."""

from __future__ import annotations

from typing import Any

from .wording import one_line

PACKET_MAX_BYTES = 1024 * 1024
EVENTS_MAX = 20
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_MM = "{http://ns.adobe.com/xap/1.0/mm/}"
_EVENT = "{http://ns.adobe.com/xap/1.0/sType/ResourceEvent#}"
_NAMES = {
    f"{_DC}title": "title",
    f"{_DC}creator": "author",
    f"{_DC}description": "description",
    f"{_DC}rights": "copyright",
    f"{_XMP}CreatorTool": "software",
    f"{_XMP}CreateDate": "created",
    f"{_XMP}ModifyDate": "changed",
    f"{_XMP}MetadataDate": "noted",
    "{http://ns.adobe.com/pdf/1.3/}Producer": "producer",
    "{http://ns.adobe.com/pdf/1.3/}Keywords": "keywords",
    "{http://ns.adobe.com/photoshop/1.0/}DateCreated": "recorded",
    "{http://ns.adobe.com/photoshop/1.0/}Credit": "credit",
    "{http://ns.adobe.com/photoshop/1.0/}Source": "source",
    "{http://ns.adobe.com/tiff/1.0/}Make": "make",
    "{http://ns.adobe.com/tiff/1.0/}Model": "model",
    "{http://ns.adobe.com/xmp/1.0/DynamicMedia/}shotDate": "recorded",
    f"{_MM}DocumentID": "document id",
    f"{_MM}OriginalDocumentID": "original document id",
}


def read(packet: bytes) -> list[list[str]]:
    """Names, as in ``films``, and values; nothing of a packet that is broken or brings its own entities."""
    from lxml import etree

    start, end = packet.find(b"<x:xmpmeta"), packet.rfind(b"</x:xmpmeta>")
    if start < 0 or end < 0:
        start, end = packet.find(b"<rdf:RDF"), packet.rfind(b"</rdf:RDF>")
    if start < 0 or end < start or end - start > PACKET_MAX_BYTES:
        return []
    # From the first tag on, so that no declaration of types or entities comes along.
    body = packet[start : packet.index(b">", end) + 1]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    found: list[list[str]] = []
    # Those of the top alone: others stand inside and tell of parts.
    for description in root.iterfind(f".//{_RDF}RDF/{_RDF}Description") if root.tag != f"{_RDF}RDF" else root:
        if description.tag != f"{_RDF}Description":
            continue
        for name, value in description.attrib.items():
            _say(found, _NAMES.get(str(name), ""), str(value))
        for child in description.iterchildren(tag="*"):
            if child.tag == f"{_MM}History":
                _events(found, child)
            else:
                _say(found, _NAMES.get(child.tag, ""), _value(child))
    return found


def _say(found: list[list[str]], name: str, value: str) -> None:
    line = one_line(value)
    if name and line and [name, line] not in found:
        found.append([name, line])


def _value(element: Any) -> str:
    """The text, or the items of a list, or what stands in the default language."""
    items = [one_line(item.text or "") for item in element.iter(f"{_RDF}li")][:10]
    return ", ".join(dict.fromkeys(item for item in items if item)) if items else (element.text or "")


def _events(found: list[list[str]], history: Any) -> None:
    for event in list(history.iter(f"{_RDF}li"))[:EVENTS_MAX]:
        # Written as attributes or as elements.
        said = {name: event.get(f"{_EVENT}{name}") for name in ("action", "when", "softwareAgent")}
        for element in event.iter():
            for name in said:
                said[name] = said[name] or element.get(f"{_EVENT}{name}")
                if element.tag == f"{_EVENT}{name}":
                    said[name] = said[name] or element.text
        _say(found, "step", " · ".join(one_line(value) for value in said.values() if value))
