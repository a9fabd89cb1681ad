"""HTML that a submission wrote, with what is harmless in it: no script, no style, no other host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import bleach
from bs4 import BeautifulSoup

__all__ = ["clean", "words"]


def words(*lines: str) -> frozenset[str]:
    """Return the words of some lines."""
    return frozenset(" ".join(lines).split())


_TAGS = words(
    "a abbr b blockquote br caption code dd del details div dl dt em figcaption figure h1 h2 h3",
    "h4 h5 h6 hr i img kbd li ol p pre q s samp small span strong sub summary sup table tbody td",
    "tfoot th thead tr u ul",
)
#: Their text is no text to read.
_WITH_CONTENT = words(
    "applet embed frame head iframe math noscript object script style svg template title"
)
_ATTRIBUTES = {"class", "id", "title", "lang", "dir"}
_OWN_ATTRIBUTES = {
    "a": {"href", "name"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
}
_PROTOCOLS = {"http", "https", "mailto", "data"}
_LINK = re.compile(r"(https?://|mailto:|#|[\w./-]+(#|$))")
_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/svg+xml;")


def clean(source: str | bytes) -> str:
    """Return HTML with what is harmless in it: no script, no style, nothing from another host.

    Examples
    --------
    >>> clean('<b onclick="x()">bold</b><script>alert(1)</script><img src="http://a.b/c.png">')
    '<b>bold</b><img>'
    """
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else str(source)
    tree = BeautifulSoup(text, "html.parser")
    for element in tree.find_all(list(_WITH_CONTENT)):
        element.decompose()
    return _sanitize(str(tree))


def _sanitize(source: str) -> str:
    # The one call of bleach, which nbconvert brings anyway: another sanitizer would be a second
    # one to watch. What replaces it needs tags, attributes by a rule, and addresses by protocol.
    return bleach.clean(
        source, tags=_TAGS, attributes=_is_harmless, protocols=_PROTOCOLS, strip=True
    )


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return re.match(_LINK, value) is not None
    if name == "src":
        return tag == "img" and (value.startswith(_PICTURES) or _is_beside(value))
    return name in _ATTRIBUTES or name in _OWN_ATTRIBUTES.get(tag, ())


def _is_beside(address: str) -> bool:
    """Tell whether an address names a file that is handed out beside the page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    outside = parts.scheme or parts.netloc or address.startswith(("/", "\\"))
    return not outside and ".." not in parts.path
