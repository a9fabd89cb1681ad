// "Run it yourself": cells of a chapter that a reader can change and run. The script waits for a
// click; then it fetches the chapter's cells, the editor and what shows outputs, and starts Python.
"use strict";

(() => {
  const { make, button, load } = window.courseElements;
  const SECONDS = 60;
  const WHY = {
    pandas: "pandas, which Python in the page has not",
    time: "more time than a page should take",
  };

  let page; // the chapter's cells, fetched with the editor on the first click
  let ran = new Set(); // numbers of the cells that Python has run
  let busy = null;

  const root = new URL(document.documentElement.dataset.content_root, location.href);
  const name = location.pathname.slice(root.pathname.length).replace(/(\.html)?$/, "") || "index";

  async function fetchPage() {
    const [plan] = await Promise.all([
      fetch(new URL(`_static/cells/${name}.json`, root), { cache: "no-cache" }).then((response) => response.json()),
      load("exercise-output.js"),
      load("codemirror.js"),
      load("exercise.css"),
    ]);
    return plan;
  }

  /** What runs before a cell: of everything above it, what has not run and needs nothing absent. */
  function above(number) {
    return page.cells.slice(0, number)
      .map(({ runs }, at) => ({ name: String(at), source: runs, quiet: true }))
      .filter(({ name: at, source }) => source && !ran.has(at));
  }

  class Live {
    constructor(element, number) {
      this.element = element;
      this.number = number;
      this.shown = element.querySelector(".cell_input pre");
      this.status = make("span", { class: "live-status", role: "status" });
      this.open = button("Run it yourself", () => this.start());
      this.bar = make("div", { class: "live-bar" }, this.open, this.status);
      const input = element.querySelector("details") || element.querySelector(".cell_input");
      input.after(this.bar);
    }

    say(words) { this.status.textContent = words; }

    async start() {
      this.open.disabled = true;
      this.say("Loading the editor …");
      try {
        await load("python.js");
        const obstacle = window.coursePython.obstacle();
        if (obstacle) throw obstacle;
        page ??= await fetchPage();
      } catch (error) {
        this.open.disabled = false;
        this.say(error.message);
        return;
      }
      this.source = page.cells[this.number].source;
      const place = make("div", { class: "exercise-editor live-editor" });
      this.bar.before(place);
      this.editor = window.courseEditor.create({
        parent: place,
        text: this.source,
        keys: { "Shift-Enter": () => this.run() },
        attributes: { "aria-label": "The code of this cell. Shift and Enter runs it; Escape, then Tab leaves." },
        onChange: () => this.editor.markLine(0),
      });
      this.element.classList.add("is-live");
      this.result = make("div", { class: "live-result exercise-result", role: "region", "aria-label": "What came of it" });
      this.runs = button("Run", () => this.run());
      this.stops = button("Stop", () => window.coursePython.stop());
      this.stops.hidden = true;
      this.resets = button("As it was", () => this.reset());
      this.open.replaceWith(this.runs, this.stops, this.resets);
      this.bar.after(this.result);
      await this.run();
    }

    reset() {
      this.editor.text = this.source;
      this.result.replaceChildren();
      this.say("");
      this.editor.focus();
    }

    async run() {
      if (busy) return;
      busy = this;
      const python = window.coursePython;
      this.runs.hidden = true;
      this.stops.hidden = false;
      if (python.state() !== "ready") ran = new Set();
      try {
        this.say("Loading Python …");
        await python.start({
          onProgress: (loaded, total) => {
            this.say(`Loading Python: ${(loaded / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`);
          },
        });
        await this.calculate();
      } catch (error) {
        this.show([make("p", { class: "live-stopped" }, error.message)]);
        this.say("");
      }
      busy = null;
      this.runs.hidden = false;
      this.stops.hidden = true;
    }

    async calculate() {
      const before = above(this.number);
      const own = { name: String(this.number), source: this.editor.text };
      this.say(before.length ? "Running the cells above, then this one …" : "Running …");
      const began = performance.now();
      const absent = {
        name: "absent",
        source: `import course_session; course_session.without(${JSON.stringify(page.absent)})`,
      };
      const { cells } = await window.coursePython.run({
        session: `page ${name}`, cells: [absent, ...before, own], seconds: SECONDS,
      });
      for (const cell of cells) if (!cell.error) ran.add(cell.name);
      const last = cells.at(-1);
      const drawn = last.name === own.name ? courseExercise.rendered(last.outputs) : [];
      if (last.error) drawn.push(courseExercise.raised(last.error));
      if (last.error && last.name !== own.name) drawn.unshift(make("p", {}, "A cell above stopped:"));
      this.show(drawn.length ? drawn : [make("p", {}, "It ran, and shows nothing.")]);
      this.editor.markLine(last.error && last.name === own.name ? last.error.line : 0);
      this.say(`${last.error ? "Stopped by an error" : "Done"} after ${((performance.now() - began) / 1000).toFixed(1)} s.`);
    }

    show(elements) {
      this.result.replaceChildren(...elements);
    }
  }

  for (const element of document.querySelectorAll("div.cell")) {
    const live = [...element.classList].find((kind) => /^live-\d+$/.test(kind));
    const lacks = [...element.classList].find((kind) => kind.startsWith("lacks-"));
    const input = element.querySelector(".cell_input");
    if (live && input) new Live(element, Number(live.slice(5)));
    else if (lacks && input) {
      const why = WHY[lacks.slice(6)] || lacks.slice(6);
      const words = make("p", { class: "live-lacks", title: `This cell needs ${why}.` }, `Not in the page: ${lacks.slice(6)}`);
      (element.querySelector("details") || input).after(words);
    }
  }
})();
