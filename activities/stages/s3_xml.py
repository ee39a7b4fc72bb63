"""The XML of S3, read and written; what a server sends may be anything."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape

DEEPEST = 20  # elements within elements; S3 needs four


@dataclass
class Element:
    """An element: its name without a namespace, its text, and what is in it."""

    name: str
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, name: str) -> Iterator["Element"]:
        """The elements directly in this one that have a name."""
        return (child for child in self.children if child.name == name)

    def get(self, name: str) -> str:
        """The text of the first element with a name directly in this one; empty without one."""
        return next((child.text for child in self.all(name)), "")


def parsed(content: bytes) -> Element | None:
    """The outermost element, or None if this is no XML, or more than S3 has any use for."""
    open_: list[Element] = [Element("")]

    def start(name: str, _: Any) -> None:
        element = Element(name.rpartition(":")[2])
        open_[-1].children.append(element)
        open_.append(element)
        if len(open_) > DEEPEST:
            raise ValueError("too deep")

    def end(_: str) -> None:
        open_.pop()

    def data(text: str) -> None:
        open_[-1].text += text

    def refuse(*_: Any) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = data, refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError):
        return None
    return open_[0].children[0]


def delete_request(keys: Iterable[str]) -> bytes:
    """The body of DeleteObjects."""
    items = "".join(f"<Object><Key>{_text(key)}</Key></Object>" for key in keys)
    return f"<Delete>{items}</Delete>".encode()


def complete_request(parts: Iterable[tuple[str, str, str]]) -> bytes:
    """The body of CompleteMultipartUpload: of each part its ETag, and the name and value of its checksum."""
    items = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{_text(etag)}</ETag>"
        + (f"<{checksum}>{_text(value)}</{checksum}>" if checksum else "")
        + "</Part>"
        for number, (etag, checksum, value) in enumerate(parts, 1)
    )
    return f"<CompleteMultipartUpload>{items}</CompleteMultipartUpload>".encode()


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
