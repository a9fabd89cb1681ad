// The notebook behind an exercise page: a copy with other answers, and the answers of another copy.
// Functions on plain data, without a page.
"use strict";

window.courseExercise = window.courseExercise || {};

(() => {
  const source = (cell) => [cell.source].flat().join("");
  const lines = (text) => text.match(/[^\n]*\n|[^\n]+$/g) || [];
  const grader = (cell) => (cell.metadata && cell.metadata.nbgrader) || {};
  const gradeId = (cell) => grader(cell).grade_id || cell.id || "";
  const title = (notebook) => {
    const heading = notebook.cells.map(source).join("\n").match(/^# +(.+)$/m);
    return heading ? heading[1].trim() : "";
  };
  // Cells that students may write in: nbgrader locks the others.
  const isTheirs = (cell) => grader(cell).grade_id !== undefined && !grader(cell).locked;

  // The first cell installs the library from the site that the page comes from.
  const withAddress = (text, site) => text.replace('"REGLIB_SITE", ""', () => `"REGLIB_SITE", "${site}"`);

  // The released notebook's text with only the answers changed.
  function filled(notebook, answers, site) {
    const copy = structuredClone(notebook);
    for (const cell of copy.cells) {
      const name = gradeId(cell);
      if (name in answers) cell.source = lines(answers[name]);
      else if (cell.id === "install" && site) cell.source = lines(withAddress(source(cell), site));
    }
    return `${JSON.stringify(copy, null, 1)}\n`;
  }

  // Throws an Error whose message can be shown.
  function parse(text, file) {
    let notebook;
    try {
      notebook = JSON.parse(text);
    } catch {
      notebook = null;
    }
    if (!notebook || !Array.isArray(notebook.cells) || !notebook.nbformat) {
      throw new Error(`${file} is no notebook: a notebook's name ends in .ipynb, and JupyterLab can open it.`);
    }
    return notebook;
  }

  // What the other notebook has for this one: `answers` by grade_id; `missing`, answers that it has not;
  // `unplaced`, code and words that have no place here; `otherVersion`, whether given cells differ.
  function answersOf(notebook, other, file) {
    const ours = new Map(notebook.cells.map((cell) => [gradeId(cell), cell]));
    const theirs = new Map(other.cells.map((cell) => [gradeId(cell), cell]));
    const wanted = [...ours].filter(([, cell]) => isTheirs(cell)).map(([name]) => name);
    const found = wanted.filter((name) => theirs.has(name));
    const isCode = (name) => ours.get(name).cell_type === "code" && grader(ours.get(name)).solution;
    if (title(other) !== title(notebook) && !found.some(isCode)) {
      const what = title(other) ? `“${title(other)}”` : "a notebook without this exercise";
      throw new Error(`${file} is ${what}, and this page is “${title(notebook)}”. Nothing was changed.`);
    }
    const stub = (cell) => /NotImplementedError|^Write your answer here/.test(source(cell));
    const unplaced = other.cells
      .filter((cell) => source(cell).trim() && !ours.has(gradeId(cell)))
      .filter((cell) => !grader(cell).locked && !stub(cell))
      .map((cell) => ({ name: grader(cell).grade_id || "a cell of your own", source: source(cell) }));
    const checksum = (cell) => (cell ? grader(cell).checksum : undefined);
    return {
      answers: Object.fromEntries(found.map((name) => [name, source(theirs.get(name))])),
      missing: wanted.filter((name) => !theirs.has(name)),
      unplaced,
      otherVersion: [...ours].some(([name, cell]) => checksum(cell) !== checksum(theirs.get(name))),
    };
  }

  Object.assign(courseExercise, { answersOf, filled, gradeId, isTheirs, parse, source, withAddress });
})();
