"""What authors write becomes what readers can use; what they get wrong stops the build."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from regbook import alt_text, components, quiz, source, theme

QUIZ = """\
# A page

```{quiz}
- question: Which weights does an L2 penalty leave alone?
  options:
    - text: Those near zero
      feedback: They are pulled least, but they are pulled.
    - text: The `biases`
      correct: true
      feedback: A bias adds no wiggle.
- question: Which are even?
  multiple: true
  options:
    - {text: Two, correct: true, feedback: Yes.}
    - {text: Three, feedback: Odd.}
    - {text: Four, correct: true, feedback: Yes.}
```
"""

PREDICT = """\
---
file_format: mystnb
kernelspec:
  name: python3
---

# A page

```{predict}
question: What happens?
options: [Nothing, Something]
answer: |
  Something **did**.
```

```{code-cell} python3
---
tags: [after-prediction]
---
print("the result")
```
"""


@pytest.fixture(scope="session")
def quiz_page(build):
    html, warnings = build(QUIZ)
    assert not warnings
    return html


@pytest.mark.browser
def test_each_option_of_a_quiz_gives_its_feedback_and_announces_it(quiz_page, open_page):
    page = open_page(quiz_page)
    question = page.locator("form.quiz-form").first
    assert question.locator(".quiz-feedback:visible").count() == 0
    question.get_by_label("Those near zero").check()
    assert "Not quite." in question.locator(".quiz-feedback:visible").inner_text()
    assert question.locator("[role=status]").inner_text() == (
        "Not quite. They are pulled least, but they are pulled."
    )
    question.get_by_label("biases").check()
    assert question.locator("[role=status]").inner_text() == "Right. A bias adds no wiggle."
    assert question.locator(".quiz-feedback:visible").count() == 1


@pytest.mark.browser
def test_a_quiz_counts_what_is_found_of_several(quiz_page, open_page):
    question = open_page(quiz_page).locator("form.quiz-form").nth(1)
    status = question.locator("[role=status]")
    question.get_by_label("Two").check()
    assert status.inner_text() == "Right. Yes. 1 of 2 found."
    question.get_by_label("Three").check()
    question.get_by_label("Four").check()
    assert status.inner_text() == "Right. Yes. 2 of 2 found."
    question.get_by_label("Three").uncheck()
    assert status.inner_text() == "You have found all of them."


@pytest.mark.browser
def test_a_quiz_is_answered_and_cleared_by_keyboard(quiz_page, open_page):
    page = open_page(quiz_page)
    question = page.locator("form.quiz-form").first
    question.locator("input").first.focus()
    page.keyboard.press("ArrowDown")
    assert question.get_by_label("biases").is_checked()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Clear my answer"
    page.keyboard.press("Enter")
    assert not question.get_by_label("biases").is_checked()
    assert question.locator(".quiz-feedback:visible").count() == 0


@pytest.mark.browser
def test_a_quiz_gives_feedback_without_a_script(quiz_page, open_page):
    question = open_page(quiz_page, script=False).locator("form.quiz-form").first
    question.get_by_label("biases").check()
    assert "A bias adds no wiggle." in question.locator(".quiz-feedback:visible").inner_text()


def test_every_input_of_a_quiz_has_a_label_and_its_group_a_name(quiz_page):
    inputs = re.findall(r'<input[^>]* id="([^"]+)"', quiz_page)
    labels = re.findall(r'<label for="([^"]+)"', quiz_page)
    assert len(inputs) == 5
    assert inputs == labels
    for name in re.findall(r'aria-labelledby="([^"]+)"', quiz_page):
        assert f'id="{name}"' in quiz_page


@pytest.fixture(scope="session")
def predict_page(build):
    html, warnings = build(PREDICT)
    assert not warnings
    return html


@pytest.mark.browser
def test_a_result_waits_for_the_prediction(predict_page, open_page):
    page = open_page(predict_page)
    result = page.get_by_text("the result", exact=True)
    assert not result.is_visible()
    page.get_by_label("Nothing").check()
    assert result.is_visible()
    assert page.get_by_text("Something did.").first.is_visible()
    assert "Something did." in page.locator("form.predict [role=status]").inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_a_prediction_says_whether_the_choice_was_right(build, open_page, script):
    html, warnings = build(PREDICT.replace("answer: |", "right: 2\nanswer: |"))
    assert not warnings
    page = open_page(html, script=script)
    verdict = page.locator(".predict-verdict:visible")
    assert verdict.count() == 0
    page.get_by_label("Nothing").check()
    assert verdict.all_inner_texts() == ["Something else happens."]
    page.get_by_label("Something", exact=True).check()
    assert verdict.all_inner_texts() == ["That is what happens."]
    if script:
        status = page.locator("form.predict [role=status]").inner_text()
        assert status == "That is what happens. What happens: Something did."


@pytest.mark.parametrize("right", [0, 3, "Something"])
def test_a_prediction_whose_right_option_is_none_is_refused(right):
    prediction = {"question": "?", "answer": "!", "options": ["a", "b"], "right": right}
    with pytest.raises(quiz.QuestionError, match="`right` is an option's number, 1 to 2"):
        quiz.check_prediction(prediction)


def test_a_box_does_not_repeat_its_heading(build):
    boxes = """# P

## Find the bug

:::{find-the-bug}
Where?
:::

## Do you remember?

:::{recall} chapter 3
What?
:::

## Quiz

```{quiz}
question: Even?
options:
  - {text: Two, correct: true, feedback: Yes.}
  - {text: Three, feedback: Odd.}
```

## A program

:::{find-the-bug} two faults
Where?
:::
"""
    html, warnings = build(boxes)
    assert not warnings
    titles = BeautifulSoup(html, "html.parser").select(".admonition-title, .quiz-title")
    assert [title.get_text() for title in titles] == ["Chapter 3", "Find the bug: Two faults"]


@pytest.mark.browser
def test_a_reader_need_not_predict(predict_page, open_page):
    page = open_page(predict_page)
    page.get_by_role("button", name="show it now").click()
    assert page.get_by_text("the result", exact=True).is_visible()


@pytest.mark.browser
def test_nothing_is_kept_back_without_a_script(predict_page, open_page):
    page = open_page(predict_page, script=False)
    assert page.get_by_text("the result", exact=True).is_visible()


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        ("text", "a question is a YAML mapping, got str"),
        ({"question": "?", "options": []}, "at least two options"),
        ({"question": "?", "options": [{"text": "a"}, {"text": "b"}]}, "lacks ['feedback']"),
        (
            {"question": "?", "options": [{"text": "a", "feedback": "x"}] * 2},
            "no option is marked `correct: true`",
        ),
        (
            {"question": "?", "options": [{"text": "a", "feedback": "x", "correct": True}] * 2},
            "2 options are correct",
        ),
        ({"question": "?", "choices": []}, "no key ['choices']"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(question, complaint):
    with pytest.raises(quiz.QuestionError, match=re.escape(complaint)):
        quiz.check_question(question)


def test_a_text_that_yaml_takes_for_a_mapping_is_refused():
    with pytest.raises(quiz.QuestionError, match="quote a text that contains ': '"):
        quiz.check_text({"Both": "they minimize the same cost."})
    assert quiz.check_text(0.02) == "0.02"


def test_a_prediction_with_one_option_is_refused():
    with pytest.raises(quiz.QuestionError, match="at least two options, or none"):
        quiz.check_prediction({"question": "?", "answer": "!", "options": ["only"]})


@pytest.mark.parametrize(
    "text",
    [
        "# P\n\n```{quiz}\nquestion: [\n```\n",
        "# P\n\n```{reglib} reglib.regularizers.L3\n```\n",
        "# P\n\n```{assignment} 99-nothing\n```\n",
        "# P\n\n```{diagram} gone.svg\n:alt: A picture that is not there.\n```\n",
        "# P\n\n```{diagram} there.svg\n:alt: picture\n```\n",
        "# P\n\n![](there.svg)\n",
        "# P\n\n![there.svg](there.svg)\n",
    ],
)
def test_an_author_s_mistake_is_a_warning(build, text):
    _, warnings = build(text, {"there.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>'})
    assert "index.md" in warnings
    assert warnings.count("\n") < 25


def test_a_plot_without_alternative_text_is_a_warning(build):
    head = PREDICT.split("# A page")[0]
    cell = "```{code-cell} python3\nfrom matplotlib import pyplot as plt\nplt.plot([1, 2]);\n```\n"
    _, warnings = build(f"{head}# P\n\n{cell}")
    assert "alternative text of a picture is" in warnings


@pytest.mark.parametrize(
    ("alt", "problem"),
    [
        (None, "is missing"),
        ("  ", "is missing"),
        ("loss.png", "is a file's name"),
        ("../_images/loss.png", "is a file's name"),
        ("0123456789abcdef0123456789abcdef", "is a file's name"),
        ("Plot", "says nothing"),
        ("Validation loss falls, then rises after epoch 40.", None),
    ],
)
def test_alternative_text_says_something(alt, problem):
    assert alt_text.fault(alt) == problem


def test_code_is_shown_as_it_stands_in_the_library():
    import inspect

    from reglib import regularizers

    shown = source.show("reglib.regularizers.L2")
    assert shown.text.strip() == inspect.getsource(regularizers.L2).strip()
    assert shown.place.startswith("reglib/regularizers.py, lines ")


def test_docstrings_can_be_left_out_and_members_picked():
    shown = source.show("reglib.regularizers.L2", members=["__call__"], docstring=False)
    assert '"""' not in shown.text
    assert "def __call__" in shown.text
    assert "def get_config" not in shown.text
    compile(shown.text, "shown", "exec")


@pytest.mark.parametrize("name", ["reglib.nothing", "reglib.regularizers.L2.fly", "nowhere.x"])
def test_code_that_does_not_exist_is_refused(name):
    with pytest.raises(LookupError, match="does not exist"):
        source.show(name)


def test_a_member_that_does_not_exist_is_refused():
    with pytest.raises(LookupError, match="defines no"):
        source.show("reglib.regularizers.L2", members=["fly"])


def test_a_drawing_gets_a_name_and_keeps_its_content():
    svg = '<?xml version="1.0"?><!-- by hand --><svg viewBox="0 0 1 1"><path d="M0 0"/></svg>'
    inline = components.inline_svg(svg, 'Says "a < b"', "wide")
    assert inline.startswith('<svg class="wide" role="img" aria-label="Says &quot;a &lt; b&quot;"')
    assert '<path d="M0 0"/>' in inline
    with pytest.raises(ValueError, match="no <svg> element"):
        components.inline_svg("<p/>", "A picture of nothing", "wide")


def test_a_table_of_pandas_has_no_empty_header():
    import pandas as pd

    html = theme.mend_table(pd.DataFrame({"loss": [0.5]}).to_html())
    assert "<th></th>" not in html
    assert 'tabindex="0"' in html


def test_an_empty_corner_of_a_table_is_no_header(build):
    html, warnings = build("# P\n\n|  | loss |\n| --- | --- |\n| L2 | 0.5 |\n")
    assert not warnings
    assert "<td></td>" in html
    assert html.count("<th ") == 1


CHAPTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
name: Mixing
gist: two at once
question: What if two are blended?
family: data
---

# Mixing: two at once
"""


def test_the_first_page_lists_the_chapters_that_there_are(build):
    chapters = {"chapters/09-mixing.md": CHAPTER, "chapters/10-more.md": CHAPTER}
    lists = "{learning-path}", "{chapter-cards}", "{toctree}\n:glob:\n\nchapters/*"
    html, warnings = build("# P\n" + "".join(f"\n```{each}\n```\n" for each in lists), chapters)
    assert not warnings
    assert "chapter 9, Mixing, two at once; chapter 10, Mixing" in html
    assert html.count("What if two are blended?") == 2
    assert "9 · Mixing: two at once" in html


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gist: two at once\n", "front matter of 09-mixing must say gist"),
        ("family: data\n", "front matter of 09-mixing must say family"),
    ],
)
def test_a_chapter_that_says_too_little_is_named(build, line, message):
    chapters = {"chapters/09-mixing.md": CHAPTER.replace(line, "")}
    _, warnings = build("# P\n\n```{learning-path}\n```\n", chapters)
    assert message in warnings
