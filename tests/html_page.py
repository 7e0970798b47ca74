"""A page of HTML taken apart without a browser: elements, ids, links, resources; whether its tags nest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "img", "hr", "input"}
LOADING = {"src", "srcset", "data", "action", "poster", "background"}


@dataclass
class Element:
    """One element: its tag, attributes, the text inside it, and its place among the elements around it."""

    tag: str
    attributes: dict[str, str]
    around: tuple[Element, ...]
    pieces: list[str] = field(default_factory=list)

    @cached_property
    def text(self) -> str:
        """The text inside it; the page must have been read."""
        return "".join(self.pieces)


@dataclass
class Page(HTMLParser):
    """All elements of a page in order; AssertionError where its tags do not nest."""

    source: str
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert not self.open, f"<{self.open[-1].tag}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self.open))
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>, line {self.getpos()[0]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.pieces.append(data)

    def having(self, tag: str, kind: str = "") -> list[Element]:
        """Return the elements of a tag, and of a class where one is given."""
        return [
            one
            for one in self.elements
            if one.tag == tag and (not kind or kind in one.attributes.get("class", "").split())
        ]

    def under(self, ident: str, tag: str, kind: str = "") -> list[Element]:
        """Return the elements of a tag inside the element with an id."""
        return [
            one
            for one in self.having(tag, kind)
            if any(outer.attributes.get("id") == ident for outer in one.around)
        ]

    @property
    def ids(self) -> list[str]:
        """All ids."""
        return [one.attributes["id"] for one in self.elements if "id" in one.attributes]

    @property
    def links(self) -> list[str]:
        """What all links lead to."""
        return [one.attributes["href"] for one in self.having("a")]

    @property
    def loaded(self) -> list[str]:
        """All that a browser would fetch for the page."""
        named = [v for one in self.elements for k, v in one.attributes.items() if k in LOADING]
        return named + [
            one.attributes["href"] for one in self.elements if one.tag in ("link", "image", "use")
        ]
