// Pieces of a page, for live cells and exercises: elements, buttons, and files of this version.
"use strict";

window.courseElements = (() => {
  const HERE = document.currentScript.src;

  /** Return an element; an attribute that is a function listens. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const button = (words, click) => make("button", { type: "button", click }, words);

  const loading = new Map();
  function fetched(file) {
    return new Promise((resolve, reject) => {
      const failed = () => {
        loading.delete(file);
        reject(new Error(`${file} could not be loaded. Are you online? If you are, load this page anew: the site may have changed.`));
      };
      const from = new URL(file, HERE).href;
      document.head.append(file.endsWith(".css")
        ? make("link", { rel: "stylesheet", href: from, load: resolve, error: failed })
        : make("script", { src: from, load: resolve, error: failed }));
    });
  }

  /** Load a script or a style sheet that lies beside this file, once. */
  function load(file) {
    if (!loading.has(file)) loading.set(file, fetched(file));
    return loading.get(file);
  }

  return { make, button, load };
})();
