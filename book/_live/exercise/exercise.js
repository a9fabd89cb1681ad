// An exercise page: editors in the place of the answer cells, buttons that run and check them with
// window.coursePython, points, and the notebook to take away or to bring along.
// exercise-store.js keeps what is written, exercise-notebook.js knows the notebook,
// exercise-output.js shows what came of a cell.
"use strict";

(() => {
  const { answersOf, digest, filled, gist, gradeId, openStore, parse, raised, rendered, source, withAddress } =
    window.courseExercise;
  const { make, button, load } = window.courseElements;
  const SECONDS = { check: 20, run: 60 };
  const EDITED = ["answer", "open"];

  const { name: exercise, version, notebook, cells: plan } =
    JSON.parse(document.getElementById("exercise-data").textContent);
  const released = new Map(notebook.cells.map((cell) => [gradeId(cell), source(cell)]));
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const bar = document.querySelector(".exercise-bar");
  const notes = document.querySelector(".exercise-notes");
  const status = document.querySelector(".exercise-status");
  const site = location.protocol.startsWith("http")
    ? new URL(document.documentElement.dataset.content_root, location.href).href.replace(/\/$/, "")
    : "";

  // ---- Small pieces of the page ------------------------------------------------------------------

  const breath = () => new Promise((done) => {
    if (window.requestIdleCallback) window.requestIdleCallback(done, { timeout: 200 });
    else setTimeout(done);
  });
  const points = (number) => `${number} point${number === 1 ? "" : "s"}`;
  const when = (record) => new Date(record.saved).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

  // Said to who cannot see it; the same words twice are said twice.
  function announce(words) {
    status.textContent = "";
    setTimeout(() => { status.textContent = words; }, 50);
  }
  function note(words, ...more) {
    const element = make("div", { class: "exercise-note" }, make("p", {}, words), ...more);
    element.append(button("Close", () => { element.remove(); }));
    notes.append(element);
    announce(words);
    return element;
  }

  // ---- Cells -------------------------------------------------------------------------------------

  // What students write in, by the id of its cell: `text` and, where it is code, an editor.
  const cells = new Map();
  const passed = {};

  class Cell {
    constructor(element) {
      this.element = element;
      this.id = element.dataset.cell;
      this.result = element.querySelector(".exercise-result");
      const { kind, needs, tests, hint, show } = plan[this.id];
      Object.assign(this, { kind, needs, tests, hint, failing: show });
      this.stub = released.get(this.id);
      this.value = this.stub;
    }

    get isTheirs() { return this.kind !== "code"; }
    get text() { return this.value; }

    set text(value) {
      this.value = value;
      if (this.editor && this.editor.text !== value) {
        this.editor.text = value;
        this.outdate();
      }
      if (this.area) this.area.value = value === this.stub ? "" : value;
    }

    // The stub of an answer in words is what an empty field stands for.
    makeArea() {
      const words = this.element.querySelector(".exercise-words");
      const input = () => {
        this.value = this.area.value.trim() ? this.area.value : this.stub;
        changed();
      };
      this.area = make("textarea", { rows: 6, "aria-label": "Your answer in words", placeholder: this.stub, input });
      this.text = this.value;
      this.printed = words;
      words.after(this.area);
      words.classList.add("only-printed");
    }

    makeEditor() {
      const code = this.element.querySelector(".exercise-code");
      const keys = this.kind === "answer"
        ? { "Mod-Enter": () => perform(this, "check"), "Shift-Enter": () => perform(this, "run") }
        : {};
      const how = this.kind === "answer" ? " Control and Enter checks, Shift and Enter runs." : "";
      const place = make("div", { class: "exercise-editor" });
      code.before(place); // an editor measures itself where it stands
      code.classList.add("only-printed");
      this.editor = window.courseEditor.create({
        parent: place,
        text: this.value,
        keys,
        attributes: {
          "aria-label": `${this.element.getAttribute("aria-label")}. Escape, then Tab leaves the editor.${how}`,
        },
        onChange: () => {
          if (this.editor.text === this.value) return; // put there, not written
          this.value = this.editor.text;
          this.outdate();
          changed();
        },
      });
      this.printed = code.querySelector("pre");
    }

    // What was found belongs to other code than what stands here now.
    outdate() {
      if (this.kind === "written") return;
      this.result.classList.toggle("is-outdated", this.result.childElementCount > 0);
      for (const test of this.tests) if (!this.hasPassed(test)) this.mark(test, "");
    }

    hasPassed(test) { return passed[test.id] === digest(this.text); }

    mark(test, state) {
      const item = this.element.querySelector(`[data-test="${CSS.escape(test.id)}"]`);
      item.dataset.state = state;
      const words = { passed: "right: ", failed: "not right yet: " }[state] || "";
      item.querySelector(".test-mark").textContent = { passed: "✓", failed: "✗" }[state] || "";
      item.querySelector(".test-promise").dataset.state = words;
      let spoken = item.querySelector(".only-spoken");
      if (!spoken) {
        spoken = make("span", { class: "only-spoken" });
        item.prepend(spoken);
      }
      spoken.textContent = words;
    }

    show(...elements) {
      this.result.classList.remove("is-outdated");
      this.result.replaceChildren(...elements);
    }

    // The line that failed, as Python or the check's message says; with a way to go there.
    point(line) {
      if (!line || !this.editor) return;
      this.editor.markLine(line);
      this.result.append(button(`Go to line ${line}`, () => this.editor.focus(line)));
    }

    // A check quotes the line; it is pointed at if there is one such line only.
    lineOf(message) {
      const quoted = all("dd", message).map((told) => told.textContent.match(/in the line: (.*)/)).find(Boolean);
      if (!quoted) return 0;
      const same = this.text.split("\n").map((line, at) => [line.trim(), at + 1])
        .filter(([line]) => line === quoted[1].trim());
      return same.length === 1 ? same[0][1] : 0;
    }
  }

  const codeOf = (id) => {
    if (cells.has(id)) return cells.get(id).text;
    return id === "install" ? withAddress(released.get(id), site) : released.get(id);
  };

  // ---- Running -----------------------------------------------------------------------------------

  let busy = null;
  // The source with which each cell last ran in Python as it is now.
  let ran = new Map();
  // The errors of cells that could not run to their end.
  const failed = new Map();

  function setState(words) {
    bar.querySelector(".exercise-state").textContent = words;
  }

  async function startPython(cell) {
    await load("python.js");
    if (window.coursePython.state() !== "off") return;
    ran = new Map();
    announce("Python is loading.");
    const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
    const progress = make("progress", { "aria-label": "Python is loading" });
    const words = make("span", {}, "Python is loading, once");
    cell.show(make("p", { class: "exercise-loading" }, progress, words));
    setState("Python is loading");
    await window.coursePython.start({
      onProgress(loaded, total) {
        progress.max = total;
        progress.value = Math.min(loaded, total);
        words.textContent = loaded < total
          ? `Python is loading, once: ${megabytes(loaded)} of ${megabytes(total)} MB`
          : "Python starts";
      },
    });
    cell.show();
  }

  async function run(id, code, seconds, packages = []) {
    const done = await window.coursePython.run({
      session: exercise, cells: [{ name: id, source: code }], packages, seconds,
    });
    return done.cells[0];
  }

  // Runs what has to have run before a cell and has not, or reads otherwise now. An answer above
  // that fails does not keep this one from being tried.
  async function prepare(ids) {
    for (const id of ids) {
      const code = codeOf(id);
      if (ran.get(id) === code) continue;
      try {
        keep(id, code, await run(id, code, SECONDS.check));
      } catch (error) {
        if (error.code === "timeout") error.message = `${id}, which stands above: ${error.message}`;
        throw error;
      }
    }
  }

  function keep(id, code, done) {
    ran.set(id, code);
    if (done.error) failed.set(id, done.error.name);
    else failed.delete(id);
  }

  // Runs an answer itself; says whether it could be.
  async function define(cell, seconds) {
    await prepare(cell.needs);
    const done = await run(cell.id, cell.text, seconds);
    keep(cell.id, cell.text, done);
    if (cell.editor) cell.editor.markLine(0);
    return done;
  }

  function showError(cell, done) {
    cell.show(...rendered(done.outputs), raised(done.error));
    cell.point(done.error.line);
    announce(`${done.error.name}: ${done.error.message}`);
  }

  // The message of a check as the notebook shows it, or what else came of a cell that failed.
  function message(done) {
    const shown = rendered(done.outputs);
    const html = shown.find((element) => element.querySelector(".reglib-check"));
    return html || (shown.length ? make("div", {}, ...shown, raised(done.error)) : raised(done.error));
  }

  const acts = {
    async run(cell) {
      const done = await (cell.isTheirs ? define(cell, SECONDS.run) : runGiven(cell));
      if (done.error && cell.isTheirs) return showError(cell, done);
      const shown = done.error ? [...rendered(done.outputs), raised(done.error)] : rendered(done.outputs);
      cell.show(...(shown.length ? shown : [make("p", {}, "It ran without an error, and printed nothing.")]));
      announce(shown.length ? cell.result.textContent.slice(0, 300) : cell.result.textContent);
      return undefined;
    },

    async check(cell) {
      const done = await define(cell, SECONDS.check);
      for (const test of cell.tests) delete passed[test.id];
      if (done.error) {
        cell.tests.forEach((test) => cell.mark(test, ""));
        return showError(cell, done);
      }
      const messages = new Map();
      const printed = rendered(done.outputs);
      for (const test of cell.tests) {
        const tested = await run(test.id, released.get(test.id), SECONDS.check);
        cell.mark(test, tested.error ? "failed" : "passed");
        if (tested.error) {
          const element = message(tested);
          if (!messages.has(gist(element))) messages.set(gist(element), element);
        } else {
          passed[test.id] = digest(cell.text);
          const notes = tested.outputs.filter((output) => /^Note: /m.test(output.text || ""));
          printed.push(...rendered(notes));
        }
      }
      verdict(cell, messages, printed);
      return undefined;
    },

    async hint(cell) {
      const done = await define(cell, SECONDS.check);
      if (done.error) return showError(cell, done);
      const hinted = await run(`${cell.id}-hint`, cell.hint, SECONDS.check);
      const told = make("div", { class: "exercise-hint" }, ...rendered(hinted.outputs));
      if (hinted.error) told.append(raised(hinted.error));
      all(".exercise-hint", cell.result).forEach((old) => old.remove());
      cell.result.append(told);
      announce(told.textContent);
      return undefined;
    },

    // The check's message, and below it the arguments, what came and what was expected.
    async show(cell) {
      await acts.check(cell);
      if (!cell.tests.some((test) => !cell.hasPassed(test)) || failed.has(cell.id)) return;
      const seen = await run(`${cell.id}-show`, cell.failing, SECONDS.run, ["matplotlib"]);
      const shown = rendered(seen.outputs.filter((output) => output.output_type !== "stream"));
      if (seen.error) shown.push(raised(seen.error));
      if (!shown.length) shown.push(make("p", {}, "Here the message says all that there is to see."));
      cell.result.append(make("div", { class: "exercise-failing" }, ...shown));
      announce(`The input that fails is shown below the message. ${shown.at(-1).textContent.slice(0, 300)}`);
    },
  };

  async function runGiven(cell) {
    await prepare(cell.needs);
    return run(cell.id, released.get(cell.id), SECONDS.run);
  }

  function verdict(cell, messages, printed) {
    const right = cell.tests.filter((test) => cell.hasPassed(test));
    const earned = right.reduce((sum, test) => sum + test.points, 0);
    const possible = cell.tests.reduce((sum, test) => sum + test.points, 0);
    const isRight = messages.size === 0;
    const words = isRight ? `Right. ${points(earned)} of ${possible}.` : `${earned} of ${points(possible)} so far.`;
    const line = make("p", { class: isRight ? "verdict is-right" : "verdict" }, words);
    cell.show(line, ...printed, ...messages.values());
    const above = cell.needs.filter((id) => failed.has(id)).map((id) => `${id} (${failed.get(id)})`);
    if (!isRight && above.length) {
      line.after(make("p", {}, `What stands above does not run to its end: ${above.join(", ")}.`));
    }
    for (const element of messages.values()) cell.point(cell.lineOf(element));
    const first = [...messages.values()].map((element) => element.textContent)[0] || "";
    announce(`${cell.id}: ${words} ${first}`);
    changed();
  }

  async function perform(cell, act, from) {
    if (busy) {
      announce("Something is running. Stop it, or wait until it has ended.");
      return false;
    }
    busy = cell;
    const stop = bar.querySelector(".act-stop");
    cell.element.classList.add("is-busy");
    stop.hidden = false;
    try {
      await startPython(cell);
      setState(act === "check" ? "Checking…" : "Running…");
      await acts[act](cell);
      return true;
    } catch (error) {
      ran = new Map();
      cell.show(make("p", { class: "exercise-stopped" }, error.message));
      announce(error.message);
      return false;
    } finally {
      if (document.activeElement === stop && from) from.focus();
      stop.hidden = true;
      busy = null;
      cell.element.classList.remove("is-busy");
      setState("");
    }
  }

  async function checkAll(from) {
    for (const cell of cells.values()) {
      if (cell.kind === "answer" && !(await perform(cell, "check", from))) return;
    }
    announce(bar.querySelector(".points-count").textContent);
  }

  // ---- Points, and what is kept ------------------------------------------------------------------

  const store = openStore(exercise, version, {
    onOther(record, take) {
      if (pending) return; // what is written here is saved first, and the other kept as a copy
      take();
      put(record);
      announce("Another tab has changed this exercise, and this one shows the same now.");
    },
  });
  let pending = 0;
  let isWarned = false;

  function showPoints() {
    let [earned, possible] = [0, 0];
    for (const cell of cells.values()) {
      for (const test of cell.tests) {
        possible += test.points;
        if (!cell.hasPassed(test)) continue;
        earned += test.points;
        cell.mark(test, "passed");
      }
    }
    const words = `${earned} of ${points(possible)}`;
    bar.querySelector(".points-count").textContent = words;
    const meter = bar.querySelector(".points-meter");
    meter.setAttribute("aria-valuenow", earned);
    meter.setAttribute("aria-valuetext", words);
    meter.firstElementChild.style.width = `${possible ? (100 * earned) / possible : 0}%`;
    bar.classList.toggle("is-complete", earned === possible);
  }

  const answers = () => Object.fromEntries(
    [...cells.values()].filter((cell) => cell.isTheirs && cell.text !== cell.stub).map((cell) => [cell.id, cell.text]),
  );

  function save() {
    clearTimeout(pending);
    pending = 0;
    const outcome = store.save({ answers: answers(), passed });
    if (outcome === "lost" && !isWarned) {
      isWarned = true;
      note("This browser keeps nothing of this page. Download your notebook before you leave.");
    }
    if (outcome === "conflict") {
      note("Another tab has changed this exercise too. What it had is kept under “Earlier work”.");
      showEarlier();
    }
  }

  function changed() {
    showPoints();
    clearTimeout(pending);
    pending = setTimeout(save, 300);
  }

  // Puts what a record holds into the page; what has no place there is returned.
  function put(record) {
    for (const cell of cells.values()) {
      if (cell.isTheirs) cell.text = record.answers[cell.id] ?? cell.stub;
    }
    Object.keys(passed).forEach((test) => delete passed[test]);
    Object.assign(passed, record.passed);
    showPoints();
  }

  function showEarlier() {
    all(".exercise-earlier", notes).forEach((old) => old.remove());
    const records = store.earlier().filter((record) => Object.keys(record.answers).length);
    if (!records.length) return;
    const list = make("ul", {}, ...records.map((record) => {
      const of = record.older ? "to an older version of this exercise" : "to this exercise";
      return make("li", {}, `Answers ${of}, ${when(record)} `,
        button("Bring in", () => bringIn(record.answers, [], `the answers of ${when(record)}`)),
        button("Delete", () => { store.remove(record.place); showEarlier(); }));
    }));
    const box = make("details", { class: "exercise-earlier" },
      make("summary", {}, `Earlier work in this browser (${records.length})`), list);
    box.open = !Object.keys(answers()).length;
    notes.append(box);
  }

  // Takes answers over, keeps those that they replace, and says what could not be placed.
  function bringIn(others, unplaced, what, more = []) {
    if (Object.keys(answers()).length) store.keep({ answers: answers(), passed });
    const lost = [...unplaced];
    const placed = [];
    for (const [id, text] of Object.entries(others)) {
      const cell = cells.get(id);
      if (!cell || !cell.isTheirs) lost.push({ name: id, source: text });
      else if (text !== cell.stub) {
        cell.text = text;
        placed.push(id);
      }
    }
    save();
    showPoints();
    showEarlier();
    const list = lost.map(({ name, source: code }) => make("details", {},
      make("summary", {}, `No place for: ${name}`), make("pre", {}, code)));
    const count = `${placed.length} answer${placed.length === 1 ? "" : "s"}`;
    const told = placed.length ? `${count} taken from ${what}: ${placed.join(", ")}.` : `No answer in ${what}.`;
    const also = lost.length ? ` ${lost.length} could not be placed: open it below, and copy what you need.` : "";
    note([told, ...more].join(" ") + also, ...list);
  }

  async function open(file) {
    try {
      const found = answersOf(notebook, parse(await file.text(), file.name), file.name);
      const more = [];
      if (found.missing.length) more.push(`It has no cell for ${found.missing.join(", ")}.`);
      if (found.otherVersion) more.push("It is of another version of this exercise: read the tasks again, and check.");
      bringIn(found.answers, found.unplaced, file.name, more);
    } catch (error) {
      note(error.message);
    }
  }

  function download() {
    const blob = new Blob([filled(notebook, answers(), site)], { type: "application/x-ipynb+json" });
    const link = make("a", { href: URL.createObjectURL(blob), download: `${exercise}.ipynb` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    announce(`${exercise}.ipynb is downloaded, with your answers.`);
  }

  function reset(cell) {
    const before = cell.text;
    if (before === cell.stub) {
      announce("Nothing has been changed here.");
      return;
    }
    cell.text = cell.stub;
    changed();
    const undo = button("Bring it back", () => {
      cell.text = before;
      cell.show();
      changed();
      cell.editor.focus();
    });
    cell.show(make("p", {}, "This is the task's own line again. "), undo);
    announce("Reset. A button below the cell brings your answer back.");
  }

  // ---- The page ----------------------------------------------------------------------------------

  const input = make("input", { type: "file", accept: ".ipynb,application/x-ipynb+json,application/json", hidden: "" });
  input.addEventListener("change", () => {
    if (input.files.length) open(input.files[0]);
    input.value = "";
  });

  function click(event) {
    const pressed = event.target.closest("button[data-act]");
    if (!pressed) return;
    const act = pressed.dataset.act;
    const cell = cells.get(pressed.closest(".exercise-cell")?.dataset.cell);
    if (act === "stop") window.coursePython.stop();
    else if (act === "check-all") checkAll(pressed);
    else if (act === "download") download();
    else if (act === "open") input.click();
    else if (act === "reset") reset(cell);
    else perform(cell, act, pressed);
  }

  // The editor is large: it waits until somebody comes near to one, or does anything.
  function wanted(elements) {
    return new Promise((resolve) => {
      const near = new IntersectionObserver((seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) resolve();
      }, { rootMargin: "200px" });
      elements.forEach((element) => near.observe(element));
      for (const act of ["keydown", "pointerdown", "scroll", "focusin"]) {
        document.addEventListener(act, resolve, { once: true, passive: true });
      }
    });
  }

  async function begin() {
    for (const element of all(".exercise-cell")) {
      const cell = new Cell(element);
      cells.set(cell.id, cell);
      if (cell.kind === "written") cell.makeArea();
    }
    document.body.append(input);
    document.querySelector(".bd-article").addEventListener("click", click);
    all(".exercise-bar, .exercise-buttons").forEach((element) => { element.hidden = false; });
    const record = store.take();
    if (record) put(record);
    showPoints();
    showEarlier();
    window.addEventListener("beforeprint", () => {
      for (const cell of cells.values()) if (cell.printed) cell.printed.textContent = cell.text;
    });
    window.addEventListener("pagehide", () => { if (pending) save(); });
    document.addEventListener("visibilitychange", () => { if (document.hidden && pending) save(); });
    document.documentElement.dataset.exercise = "shown";
    await wanted([...cells.values()].filter(({ kind }) => EDITED.includes(kind)).map(({ element }) => element));
    await load("codemirror.js");
    for (const cell of cells.values()) {
      if (!EDITED.includes(cell.kind)) continue;
      await breath(); // a phone can scroll between two editors
      cell.makeEditor();
    }
    document.documentElement.dataset.exercise = "ready";
  }

  begin();
})();
