"""Questions that a reader answers on the page, without a network and without a mouse.

``{quiz}`` holds questions with feedback on every option; ``{predict}`` asks what the next plot
will show before it is shown. Both are plain radio buttons or checkboxes inside a form: the
style sheet alone shows the feedback of a chosen option, the script only announces it.
"""

from __future__ import annotations

from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from regbook.markup import Markup
from regbook.titles import fill_title

QUESTION_KEYS = {"question", "options", "multiple"}
OPTION_KEYS = {"text", "correct", "feedback"}
PREDICTION_KEYS = {"question", "options", "right", "answer"}


class QuestionError(ValueError):
    """What is wrong with a question, in words for its author."""


def check_question(question: Any) -> dict[str, Any]:
    """Return the question if a reader can answer it.

    Raises
    ------
    QuestionError
        If a key is unknown or missing, if there are fewer than two options, if an option has no
        feedback, or if the number of right options does not fit the kind of question.
    """
    _check_keys(question, QUESTION_KEYS, required={"question", "options"}, what="a question")
    options = question["options"]
    if not isinstance(options, list) or len(options) < 2:
        raise QuestionError("a question needs a list of at least two options")
    for option in options:
        _check_keys(option, OPTION_KEYS, required={"text", "feedback"}, what="an option")
    right = sum(bool(option.get("correct")) for option in options)
    if right == 0:
        raise QuestionError("no option is marked `correct: true`")
    if right > 1 and not question.get("multiple"):
        raise QuestionError(f"{right} options are correct: say `multiple: true`, or mark one")
    return question


def check_prediction(prediction: Any) -> dict[str, Any]:
    """Return the prediction if it has a question, an answer, and two options or none.

    Raises
    ------
    QuestionError
        If not, or if ``right`` is not the number of an option, counted from 1.
    """
    _check_keys(prediction, PREDICTION_KEYS, required={"question", "answer"}, what="a prediction")
    options = prediction.get("options", [])
    if not isinstance(options, list) or len(options) == 1:
        raise QuestionError("a prediction needs at least two options, or none")
    right = prediction.get("right")
    if right is not None and right not in range(1, len(options) + 1):
        raise QuestionError(f"`right` is an option's number, 1 to {len(options)}, got {right!r}")
    return prediction


def check_text(value: Any) -> str:
    """Return a text; YAML makes a mapping of one that holds a colon and is not quoted.

    Raises
    ------
    QuestionError
        If the value is a mapping or a list.
    """
    if isinstance(value, dict | list):
        raise QuestionError(f"quote a text that contains ': ' or begins with '[', got {value!r}")
    return str(value)


def _check_keys(value: Any, known: set[str], required: set[str], what: str) -> None:
    if not isinstance(value, dict):
        raise QuestionError(f"{what} is a YAML mapping, got {type(value).__name__}")
    if unknown := set(value) - known:
        raise QuestionError(f"{what} has no key {sorted(unknown)}; it has {sorted(known)}")
    if missing := required - set(value):
        raise QuestionError(f"{what} lacks {sorted(missing)}")


class _Question(SphinxDirective):
    """What the two directives share: YAML content, Markdown inside it, and ids."""

    has_content = True

    def load(self) -> Any:
        try:
            return yaml.safe_load("\n".join(self.content))
        except yaml.YAMLError as error:
            raise QuestionError(f"not valid YAML: {error}") from error

    def identifier(self, kind: str) -> str:
        return f"{kind}-{self.env.new_serialno(kind) + 1}"

    def blocks(self, text: Any) -> list[nodes.Node]:
        return self.parse_text_to_nodes(check_text(text), offset=self.content_offset)

    def inline(self, text: Any) -> list[nodes.Node]:
        blocks = self.blocks(text)
        if len(blocks) != 1 or not isinstance(blocks[0], nodes.paragraph):
            raise QuestionError(f"an option is one paragraph, got {str(text)!r}")
        # Sphinx writes a reference as text only inside an element that holds text.
        return [nodes.inline("", "", *blocks[0].children)]

    def choice(self, name: str, key: str, text: Any, kind: str) -> list[nodes.Node]:
        return [
            Markup("input", type=kind, name=name, id=key, value=key),
            Markup("label", self.inline(text), for_=key),
        ]

    def run(self) -> list[nodes.Node]:
        try:
            return self.build()
        except QuestionError as error:
            raise self.error(f"{self.name}: {error}") from error

    def build(self) -> list[nodes.Node]:
        raise NotImplementedError


class Quiz(_Question):
    """``{quiz}``: one question, or a list of them, each option with its feedback."""

    def build(self) -> list[nodes.Node]:
        """Return a section with a form for each question."""
        content = self.load()
        questions = content if isinstance(content, list) else [content]
        forms = [self.form(check_question(question)) for question in questions]
        heading = fill_title(
            Markup("p", class_="quiz-title"), "Check yourself", also=("Quiz", "Questions")
        )
        return [Markup("div", [heading, *forms], class_="quiz", role="group", aria_label="Quiz")]

    def form(self, question: dict[str, Any]) -> Markup:
        """Return one question as a form."""
        name = self.identifier("quiz")
        multiple = bool(question.get("multiple"))
        kind = "checkbox" if multiple else "radio"
        prompt = Markup(
            "div", self.blocks(question["question"]), class_="quiz-question", id=f"{name}-question"
        )
        options = []
        for number, option in enumerate(question["options"], start=1):
            key = f"{name}-{number}"
            right = bool(option.get("correct"))
            verdict = Markup(
                "p", [nodes.Text("Right." if right else "Not quite.")], class_="quiz-verdict"
            )
            feedback = Markup(
                "div",
                [verdict, *self.blocks(option["feedback"])],
                class_="quiz-feedback",
                id=f"{key}-feedback",
            )
            choice = self.choice(name, key, option["text"], kind)
            options.append(
                Markup(
                    "div",
                    [*choice, feedback],
                    class_="quiz-option",
                    data_correct="true" if right else "false",
                )
            )
        hint = [nodes.Text("Choose all that are right." if multiple else "Choose one.")]
        group = Markup(
            "div",
            [prompt, Markup("p", hint, class_="quiz-hint"), *options],
            role="group" if multiple else "radiogroup",
            aria_labelledby=f"{name}-question",
        )
        status = Markup("p", class_="quiz-status", role="status", aria_live="polite")
        again = Markup("button", [nodes.Text("Clear my answer")], type="reset", class_="quiz-reset")
        return Markup("form", [group, status, again], class_="quiz-form", id=name)


class Predict(_Question):
    """``{predict}``: a question before the plot; the answer opens when the reader has chosen."""

    def build(self) -> list[nodes.Node]:
        """Return the question, its options and the hidden answer."""
        prediction = check_prediction(self.load())
        name = self.identifier("predict")
        prompt = Markup(
            "div",
            self.blocks(prediction["question"]),
            class_="predict-question",
            id=f"{name}-question",
        )
        parts: list[nodes.Node] = [
            fill_title(Markup("p", class_="predict-title"), "Predict first"),
            prompt,
        ]
        if prediction.get("options"):
            choices = [
                self.option(f"{name}-{number}", name, text, number, prediction.get("right"))
                for number, text in enumerate(prediction["options"], start=1)
            ]
            parts.append(
                Markup("div", choices, role="radiogroup", aria_labelledby=f"{name}-question")
            )
        summary = Markup("summary", [nodes.Text("What happens")])
        answer = Markup("div", self.blocks(prediction["answer"]), class_="predict-answer-text")
        parts.append(Markup("details", [summary, answer], class_="predict-answer"))
        status = Markup("p", class_="predict-status", role="status", aria_live="polite")
        return [Markup("form", [*parts, status], class_="predict", id=name)]

    def option(self, key: str, name: str, text: Any, number: int, right: int | None) -> Markup:
        """Return an option, with what is said when it is chosen if one is known to be right."""
        parts = self.choice(name, key, text, "radio")
        if right is None:
            return Markup("div", parts, class_="predict-option")
        words = "That is what happens." if number == right else "Something else happens."
        parts.append(Markup("p", [nodes.Text(words)], class_="predict-verdict"))
        correct = "true" if number == right else "false"
        return Markup("div", parts, class_="predict-option", data_correct=correct)


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("quiz", Quiz)
    app.add_directive("predict", Predict)
