"""The outputs of one cell, kept as a notebook client keeps them.

What comes from a student's process is untrusted: only well-formed outputs are kept, and no more
of them than a cell may have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Outputs"]

#: As nbgrader's LimitOutput has them.
MAX_LINES = 1000
MAX_TRACEBACK = 100
#: What an output costs beside its text, so that empty ones are not for nothing.
_EACH = 200
#: Width or height of a picture.
_SIZE = r"\d{1,6}(\.\d{1,20})?(px|%)?"
#: How deep JSON in an output may be nested.
_MAX_DEPTH = 60


class Outputs:
    """Collect the outputs of one cell.

    Parameters
    ----------
    cap : int
        Bytes that are kept.
    count : int
        The cell's execution count.
    of_test : bool
        Whether they are a test's. Its result and its error, which nbgrader takes points from, are
        the grader's to write; what a student's process says of these is dropped.
    """

    def __init__(self, cap: int, count: int, of_test: bool = False):
        self._items: list[dict[str, Any]] = []
        self._displays: dict[str, list[dict[str, Any]]] = {}
        self._cap = self._left = cap
        self._count = count
        self._clear_next = False
        self._of_test = of_test
        self.cut = False
        self._had_warning = False

    @property
    def used(self) -> int:
        """Bytes that have been taken in, also of what is gone by now."""
        return self._cap - self._left

    def take(self, message: Mapping[str, Any]) -> None:
        """Take in a message of the student's process; what is malformed is dropped."""
        kind, content = message.get("say"), message.get("content")
        if kind == "cut":
            self.cut = True
        if not isinstance(kind, str) or not isinstance(content, dict):
            return
        if self._of_test and kind in ("error", "execute_result"):
            return
        if kind == "clear_output":
            if content.get("wait") is True:
                self._clear_next = True
            else:
                self._clear()
        elif kind == "stream":
            self.stream(content.get("name"), content.get("text"))
        elif kind == "error":
            lines = content.get("traceback")
            if isinstance(lines, list):
                self.error(content.get("ename"), content.get("evalue"), lines)
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._display(kind, content)

    def stream(self, name: Any, text: Any) -> None:
        """Append text to ``stdout`` or ``stderr``."""
        if name not in ("stdout", "stderr") or not isinstance(text, str) or not text:
            return
        text = self._affordable(text)
        if not text:
            return
        self._about_to_add()
        last = self._items[-1] if self._items else None
        if last is not None and last["output_type"] == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self._items.append({"output_type": "stream", "name": name, "text": text})

    def error(self, ename: Any, evalue: Any, traceback: Sequence[Any]) -> None:
        """Append an exception."""
        if not isinstance(ename, str) or not isinstance(evalue, str):
            return
        lines = [line[:20_000] for line in traceback[:10_000] if isinstance(line, str)]
        self._left -= sum(map(len, lines)) + len(evalue[:20_000]) + _EACH
        if self._left < 0 and any(item["output_type"] == "error" for item in self._items):
            self.cut = True  # one is kept whatever was printed before it
            return
        self._about_to_add()
        self._items.append(
            {
                "output_type": "error",
                "ename": ename[:1000],
                "evalue": evalue[:20_000],
                "traceback": lines,
            }
        )

    def result(self, text: str | None) -> None:
        """Append the value of a cell as text, whatever was printed before it."""
        if text is None:
            return
        self._about_to_add()
        self._items.append(
            {
                "output_type": "execute_result",
                "data": {"text/plain": text},
                "metadata": {},
                "execution_count": self._count,
            }
        )

    def _display(self, kind: str, content: Mapping[str, Any]) -> None:
        data, metadata = content.get("data"), content.get("metadata")
        if not isinstance(data, dict):
            return
        data = {mime: value for mime, value in data.items() if _fits(mime, value)}
        metadata = _about(metadata) if isinstance(metadata, dict) else {}
        transient = content.get("transient")
        identity = transient.get("display_id") if isinstance(transient, dict) else None
        copies = 1
        if kind == "update_display_data":
            copies = len(self._displays.get(str(identity), ()))
        if not copies or not self._can_afford(copies * (_EACH + len(f"{data}{metadata}"))):
            return
        output: dict[str, Any] = {
            "output_type": "display_data" if kind == "update_display_data" else kind,
            "data": data,
            "metadata": metadata,
        }
        if kind == "execute_result":
            output["execution_count"] = self._count
        if kind == "update_display_data":
            for known in self._displays.get(str(identity), ()):
                known.update(data=output["data"], metadata=output["metadata"])
            return
        self._about_to_add()
        self._items.append(output)
        if isinstance(identity, str):
            self._displays.setdefault(identity, []).append(output)

    def _can_afford(self, size: int) -> bool:
        """Pay for something that is kept whole or not at all."""
        if size > self._left:
            self.cut = True
            return False
        self._left -= size
        return True

    def _affordable(self, text: str) -> str:
        if len(text) > self._left:
            self.cut = True
            text = text[: max(self._left, 0)]
        self._left -= len(text)
        return text

    def _about_to_add(self) -> None:
        if self._clear_next:
            self._clear()

    def _clear(self) -> None:
        self._clear_next = False
        self._items.clear()

    def first_error(self) -> tuple[str, str] | None:
        """Return type and text of the first exception, if there is one."""
        for item in self._items:
            if item["output_type"] == "error":
                return item["ename"], item["evalue"]
        return None

    def take_result(self) -> str | None:
        """Remove the first result, and return its text."""
        for place, item in enumerate(self._items):
            if item["output_type"] == "execute_result":
                del self._items[place]
                text = item["data"].get("text/plain")
                return "".join(text) if isinstance(text, list) else text
        return None

    def silence(self) -> None:
        """Drop what was printed and displayed."""
        self._had_warning = self.has_warning
        self._items = [
            item for item in self._items if item["output_type"] not in ("stream", "display_data")
        ]

    @property
    def has_warning(self) -> bool:
        """Whether anything went to stderr, shown or not."""
        return self._had_warning or any(
            item["output_type"] == "stream" and item["name"] == "stderr" for item in self._items
        )

    def for_test(self, hidden: bool) -> None:
        """Make these the outputs of a test cell.

        nbgrader takes anything on stderr for a failure, so a warning is shown on stdout. What a
        student's function printed while a hidden test called it could tell the test's inputs.
        """
        if hidden:
            self.silence()
        for item in self._items:
            if item["output_type"] == "stream" and item["name"] == "stderr":
                item["name"] = "stdout"

    def finish(self) -> list[dict[str, Any]]:
        """Return the outputs, shortened as nbgrader shortens them."""
        left, kept = MAX_LINES, []
        for item in self._items:
            if item["output_type"] == "stream":
                if left == 0:
                    continue
                lines = item["text"].split("\n")
                if len(lines) > left:
                    lines = [*lines[: left - 1], "... Output truncated ..."]
                left -= len(lines)
                item["text"] = "\n".join(lines)
            elif item["output_type"] == "error" and len(item["traceback"]) > MAX_TRACEBACK:
                half = MAX_TRACEBACK // 2
                rest = MAX_TRACEBACK - half - 1
                lines = item["traceback"]
                item["traceback"] = [*lines[:half], "... Traceback truncated ...", *lines[-rest:]]
            kept.append(item)
        return kept


def _fits(mime: Any, value: Any) -> bool:
    if not isinstance(mime, str):
        return False
    if mime == "application/json" or mime.endswith("+json"):
        is_widget = mime == "application/vnd.jupyter.widget-view+json"
        if is_widget and not (isinstance(value, dict) and isinstance(value.get("model_id"), str)):
            return False  # pages look its model up
        return _is_shallow(value)
    return isinstance(value, str)


def _about(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return what is said about an output, as far as a page that shows it can read that.

    nbconvert writes sizes of pictures into a page as they come.
    """
    if not _is_shallow(metadata):
        return {}
    return {
        name: _with_sizes(value) if isinstance(value, dict) else value
        for name, value in _with_sizes(metadata).items()
        if isinstance(value, dict) or not ("/" in name or name == "filenames")
    }


def _with_sizes(about: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in about.items()
        if name not in ("width", "height") or re.fullmatch(_SIZE, str(value), re.ASCII)
    }


def _is_shallow(value: Any) -> bool:
    """Whether JSON is nested no deeper than whoever reads the notebook can follow."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False
