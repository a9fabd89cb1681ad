// The editor of the exercise pages: Python's colors, its indentation, one line that can be marked.
// The colors are classes, which the book's style sheet fills in light and dark.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

const setMark = StateEffect.define();

// The line that failed; it loses its mark when it is edited.
const mark = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    for (const effect of transaction.effects) if (effect.is(setMark)) return effect.value;
    return transaction.docChanged ? Decoration.none : marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

// `keys` maps names of keys to functions; `attributes` are those of the element that has the focus.
function create({ parent, text, attributes, keys, onChange }) {
  const own = Object.entries(keys).map(([key, act]) => ({ key, run: () => (act(), true), preventDefault: true }));
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of(own),
        lineNumbers(), history(), drawSelection(), highlightSpecialChars(), EditorView.lineWrapping,
        indentOnInput(), indentUnit.of("    "), bracketMatching(), closeBrackets(),
        pythonLanguage, syntaxHighlighting(classHighlighter), mark,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of(attributes),
        EditorView.updateListener.of((update) => { if (update.docChanged) onChange(); }),
      ],
    }),
  });
  const line = (number) => view.state.doc.line(Math.min(Math.max(number, 1), view.state.doc.lines));
  return {
    element: view.contentDOM,
    get text() { return view.state.doc.toString(); },
    set text(value) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
    },
    focus: (number) => {
      if (number) view.dispatch({ selection: { anchor: line(number).from }, scrollIntoView: true });
      view.focus();
    },
    markLine: (number) => view.dispatch({
      effects: setMark.of(number
        ? Decoration.set(Decoration.line({ class: "failing-line" }).range(line(number).from))
        : Decoration.none),
    }),
  };
}

window.courseEditor = { create };
