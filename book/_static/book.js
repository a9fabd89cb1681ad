// Announces quiz feedback, keeps a result back until the reader has predicted it, moves figures, lets
// the keyboard scroll what is wider than the page, and tells a downloaded exercise where it
// comes from. Without this script the style sheet shows the feedback, nothing is kept back, figures
// stand still, and an exercise looks for what it needs in its own folder.
"use strict";

(() => {
  const text = (element) => element.textContent.replace(/\s+/g, " ").trim();

  function setUpQuiz(form) {
    const status = form.querySelector(".quiz-status");
    const options = [...form.querySelectorAll(".quiz-option")];
    const multiple = form.querySelector("input[type=checkbox]") !== null;

    form.addEventListener("change", (event) => {
      const option = event.target.closest(".quiz-option");
      const feedback = text(option.querySelector(".quiz-feedback"));
      if (!multiple) {
        status.textContent = feedback;
        return;
      }
      const chosen = options.filter((o) => o.querySelector("input").checked);
      const right = chosen.filter((o) => o.dataset.correct === "true").length;
      const all = options.filter((o) => o.dataset.correct === "true").length;
      const done = right === all && chosen.length === all;
      const tally = done ? "You have found all of them." : `${right} of ${all} found.`;
      status.textContent = event.target.checked ? `${feedback} ${tally}` : tally;
    });
    form.addEventListener("reset", () => { status.textContent = "Answer cleared."; });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // The next cell tagged `after-prediction` that stands after the question.
  function keptBack(form) {
    const following = Node.DOCUMENT_POSITION_FOLLOWING;
    const next = [...document.querySelectorAll(".cell.tag_after-prediction, form.predict")]
      .find((element) => form.compareDocumentPosition(element) & following);
    return next && next.matches(".cell") ? next.querySelector(".cell_output") : null;
  }

  function setUpPrediction(form) {
    const answer = form.querySelector(".predict-answer");
    const status = form.querySelector(".predict-status");
    const output = keptBack(form);
    let note = null;

    const reveal = () => {
      if (output) output.classList.remove("is-waiting");
      if (note) note.remove();
      note = null;
    };
    if (output) {
      output.classList.add("is-waiting");
      note = document.createElement("div");
      note.className = "waits-for-prediction";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "show it now";
      button.addEventListener("click", reveal);
      note.append("The result waits for your prediction above, or ", button, ".");
      output.before(note);
    }
    form.addEventListener("change", (event) => {
      const verdict = event.target.closest(".predict-option").querySelector(".predict-verdict");
      const happens = `What happens: ${text(answer.querySelector(".predict-answer-text"))}`;
      answer.open = true;
      status.textContent = verdict ? `${text(verdict)} ${happens}` : happens;
      reveal();
    });
    answer.addEventListener("toggle", () => { if (answer.open) reveal(); });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  // A figure that moves (reglib.moving): its slider chooses the frame and the row of the table that
  // says what the frame shows.
  function setUpMoving(figure) {
    const slider = figure.querySelector(".moving-control input");
    const stage = figure.querySelector(".moving-stage");
    const [head, ...rows] = [...figure.querySelectorAll("tr")]
      .map((row) => [...row.cells].map(text));

    const show = () => {
      const frame = slider.value;
      [...stage.children].forEach((panel, number) => {
        panel.lastElementChild.setAttribute("href", `#${figure.id}-${number}-${frame}`);
      });
      const [value, ...numbers] = rows[frame].map((cell, k) => (k ? `${head[k]} ${cell}` : cell));
      slider.setAttribute("aria-valuetext", [value, ...numbers].join(", "));
      slider.nextElementSibling.textContent = [`${head[0]} = ${value}`, ...numbers].join(" · ");
    };
    slider.addEventListener("input", show);
    show();
    figure.querySelectorAll("[hidden]").forEach((element) => { element.hidden = false; });
    figure.querySelector(".moving-stills").hidden = true;
  }

  // The keyboard can scroll what is wider than the page. An observer, since whoever asks for a width
  // makes the browser lay out what nobody has scrolled to. Until that is laid out, it may be wide.
  function letWideScroll() {
    const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => {
      if (target.scrollWidth > target.clientWidth || target === document.activeElement) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }));
    const wide = "div.math, pre, .cell_output > .output, .pst-scrollable-table-container";
    document.querySelectorAll(wide).forEach((element) => {
      element.tabIndex = 0;
      observer.observe(element);
    });
  }

  // Sphinx takes a slash for a wish to search, also where somebody writes a division.
  function leaveKeysToEditors() {
    document.body.addEventListener("keydown", (event) => {
      if (event.target.isContentEditable && !event.ctrlKey && !event.metaKey) event.stopPropagation();
    });
  }

  const site = () =>
    new URL(document.documentElement.dataset.content_root, location.href).href.replace(/\/$/, "");

  // The line that installs the library, with the address that it is at.
  function completeInstallLine(block) {
    const sign = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    while (sign.nextNode()) {
      sign.currentNode.data = sign.currentNode.data.replace(/(^|\s)(reglib-\S+\.whl)/, `$1${site()}/$2`);
    }
  }

  // Whoever hosts the site need not say at which address: the notebook's first cell installs from it.
  async function downloadWithAddress(event) {
    if (!location.protocol.startsWith("http")) return;
    event.preventDefault();
    const { href, pathname } = event.currentTarget;
    const answer = await fetch(href);
    if (!answer.ok) {
      location.assign(href);
      return;
    }
    const notebook = (await answer.text()).replace(
      '\\"REGLIB_SITE\\", \\"\\"',
      () => `\\"REGLIB_SITE\\", \\"${site()}\\"`,
    );
    const file = document.createElement("a");
    file.href = URL.createObjectURL(new Blob([notebook], { type: "application/x-ipynb+json" }));
    file.download = pathname.split("/").pop();
    file.click();
    URL.revokeObjectURL(file.href);
  }

  // A menu closes when one looks elsewhere.
  function closeMenu(event) {
    const menu = document.querySelector("details.dropdown[open]");
    if (!menu || (event.type === "click" && menu.firstElementChild.contains(event.target))) return;
    if (event.type === "click" || event.key === "Escape") menu.open = false;
    if (event.key === "Escape") menu.firstElementChild.focus();
  }
  document.addEventListener("click", closeMenu);
  document.addEventListener("keydown", closeMenu);

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("form.quiz-form").forEach(setUpQuiz);
    document.querySelectorAll("form.predict").forEach(setUpPrediction);
    document.querySelectorAll("a.assignment-download").forEach((link) => {
      link.addEventListener("click", downloadWithAddress);
    });
    if (location.protocol.startsWith("http")) {
      document.querySelectorAll(".install-line pre").forEach(completeInstallLine);
    }
    document.querySelectorAll(".moving").forEach(setUpMoving);
    letWideScroll();
    leaveKeysToEditors();
  });
})();
