// What a student has written, in this browser: one record for each exercise and each version of it.
// A record holds `answers` (text by cell), `passed` (digest of the answer by test), `saved` (when)
// and `revision`, by which a tab sees that another one has written since. Nothing is overwritten
// unseen: what would be is kept as a copy.
"use strict";

window.courseExercise = window.courseExercise || {};

courseExercise.openStore = (name, version, { onOther }) => {
  const prefix = `exercise/${name}/`;
  const key = prefix + version;
  let revision = 0;

  const read = (place) => {
    try {
      const record = JSON.parse(localStorage.getItem(place));
      return record && typeof record.answers === "object" ? record : null;
    } catch {
      return null;
    }
  };
  const write = (place, record) => {
    try {
      localStorage.setItem(place, JSON.stringify(record));
      return true;
    } catch {
      return false; // no storage here, or it is full
    }
  };
  const keys = () => {
    try {
      return Object.keys(localStorage);
    } catch {
      return [];
    }
  };

  const take = () => {
    const record = read(key);
    if (record) revision = record.revision;
    return record;
  };
  const keep = (record) => {
    const copy = { ...record, saved: record.saved || new Date().toISOString() };
    return write(`${key}/${copy.saved}`, copy);
  };

  // Another tab's writing arrives as an event; a tab that slept looks when it wakes.
  const look = () => {
    const record = read(key);
    if (record && record.revision !== revision) onOther(record, () => take());
  };
  window.addEventListener("storage", (event) => { if (event.key === key) look(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });

  return {
    take,
    keep,
    // "saved", "conflict" (saved, and the other tab's record is a copy now) or "lost".
    save({ answers, passed }) {
      const there = read(key);
      const conflict = Boolean(there) && there.revision !== revision;
      if (conflict) keep(there);
      revision = (there ? there.revision : 0) + 1;
      const record = { answers, passed, revision, saved: new Date().toISOString() };
      if (!write(key, record)) return "lost";
      return conflict ? "conflict" : "saved";
    },
    // Answers to older versions of the exercise and copies, the newest first.
    earlier() {
      return keys()
        .filter((place) => place.startsWith(prefix) && place !== key)
        .map((place) => ({ place, older: !place.startsWith(key), ...read(place) }))
        .filter((record) => record.answers)
        .sort((one, other) => String(other.saved).localeCompare(String(one.saved)));
    },
    remove: (place) => localStorage.removeItem(place),
  };
};

// A short fingerprint of a text (FNV-1a, 32 bits).
courseExercise.digest = (text) => {
  let hash = 0x811c9dc5;
  for (let k = 0; k < text.length; k += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193) >>> 0;
  }
  return hash.toString(16);
};
