// What code has printed, drawn and raised, as elements of the page.
"use strict";

window.courseExercise = window.courseExercise || {};

(() => {
  const TAGS = new Set(("a b blockquote br caption code col colgroup dd div dl dt em figcaption figure h3 h4 h5 "
    + "hr i img li ol p pre s small span strong sub sup table tbody td tfoot th thead tr u ul "
    + "svg g path defs use clippath rect circle ellipse line polyline polygon text tspan title desc symbol marker "
    + "lineargradient radialgradient stop pattern mask image").split(" "));
  const HREF = /^(https?:|#|\.{0,2}\/|data:image\/(png|gif|jpeg|webp);base64,)/i;

  const isSafe = ({ name, value }) => !name.startsWith("on")
    && (!/^(xlink:)?href$|^src$/.test(name) || HREF.test(value.trim()))
    && !/url\(\s*["']?(?!#)/i.test(value);

  // HTML comes from code that may have been opened from a file: only what shows text or draws is let in.
  function cleaned(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const element of [...page.body.querySelectorAll("*")]) {
      if (!TAGS.has(element.localName.toLowerCase())) {
        element.remove();
        continue;
      }
      for (const attribute of [...element.attributes]) {
        if (!isSafe(attribute)) element.removeAttribute(attribute.name);
      }
    }
    const box = document.createElement("div");
    box.className = "output-html";
    box.append(...page.body.childNodes);
    return box;
  }

  const ANSI = /\x1b\[[0-9;]*[A-Za-z]/g;
  const READING = /^Read: (.*) \((https?:[^)\s]+)\)$/m;
  const joined = (text) => [text].flat().join("");

  function preformatted(text, kind) {
    const element = document.createElement("pre");
    element.className = kind;
    // A hint ends with what to read and its address, which is a link in the page.
    const [before, ...reading] = joined(text).replace(ANSI, "").replace(/\n$/, "").split(READING);
    element.append(before);
    for (let at = 0; at < reading.length; at += 3) {
      const link = document.createElement("a");
      [link.textContent, link.href] = reading.slice(at, at + 2);
      element.append("Read: ", link, reading[at + 2]);
    }
    return element;
  }

  function drawn(data) {
    const image = document.createElement("img");
    image.src = data["image/png"]
      ? `data:image/png;base64,${joined(data["image/png"]).trim()}`
      : `data:image/svg+xml,${encodeURIComponent(joined(data["image/svg+xml"]))}`;
    image.alt = joined(data["text/plain"] || "What your code draws").replace(/^<(.*)>$/, "$1");
    image.className = "output-picture";
    return image;
  }

  function rendered(output) {
    if (output.output_type === "stream") return preformatted(output.text, `output-${output.name}`);
    const data = output.data || {};
    if (data["image/png"] || data["image/svg+xml"]) return drawn(data);
    if (data["text/html"]) return cleaned(joined(data["text/html"]));
    return data["text/plain"] ? preformatted(data["text/plain"], "output-value") : null;
  }

  // An error that is no message of a check: what Python says, and where.
  function raised(error) {
    const box = document.createElement("div");
    box.className = "output-error";
    const said = document.createElement("p");
    const name = document.createElement("strong");
    name.textContent = error.name;
    const at = error.line ? ` (line ${error.line})` : "";
    said.append(name, error.message ? `: ${error.message}${at}` : at);
    box.append(said);
    return box;
  }

  // The way a check's message reads without its title and its promise: two tests often say the same.
  function gist(element) {
    const rows = [...element.querySelectorAll("dt")]
      .filter((label) => label.textContent !== "What is tested")
      .map((label) => `${label.textContent}: ${label.nextElementSibling.textContent}`);
    return rows.join("\n") || element.textContent;
  }

  Object.assign(courseExercise, {
    gist,
    raised,
    rendered: (outputs) => outputs.filter((output) => output.output_type !== "error").map(rendered).filter(Boolean),
  });
})();
