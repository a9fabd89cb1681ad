"""The search finds what is spelled otherwise: *regularisation*, *colour*, λ for lambda.

Words and questions become the same before they are compared, in Python when the book is built
and in the reader's browser.
"""

from __future__ import annotations

import json
import re
from html.entities import name2codepoint

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish, js_porter_stemmer

#: Greek letters by LaTeX's name, as formulas have them.
GREEK = {
    chr(code): name
    for name, code in name2codepoint.items()
    if 0x3B1 <= code <= 0x3C9 and name.islower()
}
#: British endings and their American forms; these expressions mean the same in JavaScript.
SPELLINGS = (
    (r"(?<=\w{4})is(?=(e[drs]?|ing|ations?|able)$)", "iz"),
    (r"(?<=\w{3})our(?=(s|ed|ing|al|less)?$)", "or"),
)
STEMMER = """\
%s
var Stemmer = function() {
  const porter = new PorterStemmer();
  const greek = %s;
  const spellings = %s.map(([from, to]) => [new RegExp(from), to]);
  this.stemWord = (word) => porter.stemWord(
    spellings.reduce((text, [from, to]) => text.replace(from, to), greek[word] || word));
};
"""


def american(word: str) -> str:
    """Return a word in lower case, Greek letters by name, in the spelling of this book.

    Examples
    --------
    >>> [american(word) for word in ("Regularisation", "behaviour", "λ", "noise", "four")]
    ['regularization', 'behavior', 'lambda', 'noise', 'four']
    """
    word = word.lower()
    word = GREEK.get(word, word)
    for pattern, ending in SPELLINGS:
        word = re.sub(pattern, ending, word)
    return word


class Search(SearchEnglish):
    """English, however it is spelled."""

    js_stemmer_code = STEMMER % (
        js_porter_stemmer.replace("var Stemmer =", "var PorterStemmer ="),
        json.dumps(GREEK),
        json.dumps(SPELLINGS),
    )

    def stem(self, word: str) -> str:
        """Return the stem of a word."""
        return super().stem(american(word))


def setup(app: Sphinx) -> None:
    """Search this way."""
    app.add_search_language(Search)
