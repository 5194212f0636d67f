"use strict";
// Pieces of the page. All that comes from the session is put in as text, never as markup.
const elements = (() => {
  const make = (tag, className = "", ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };
  const number = (value) => value.toLocaleString("en");
  const count = (value, noun) => `${number(value)} ${noun}${value === 1 ? "" : "s"}`;

  const duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
    const minutes = Math.floor(Math.round(seconds) / 60);
    const two = (value) => String(value).padStart(2, "0");
    if (minutes < 60) return `${minutes} min ${two(Math.round(seconds) % 60)} s`;
    return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  };

  const chip = ([kind, label, more]) => {
    const state = make("span", "standing", make("span", `chip ${kind}`, label));
    if (more) state.append(make("span", "because", more));
    return state;
  };

  const logOf = (runs) => {
    const log = make("pre", "");
    log.append(...runs.map((run) => (typeof run === "string" ? run : make("span", run[0], run[1]))));
    return log;
  };
  const facts = (pairs) => {
    const list = make("dl", "facts");
    for (const [name, value] of pairs) {
      if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", String(value))));
    }
    return list;
  };
  const size = (bytes) => (bytes < 1024 ? count(bytes, "byte") : `${number(Math.round(bytes / 1024))} KiB`);
  const fileOf = ({ name, type, size: bytes, text }) => {
    const about = [make("b", "", name), ` ${type ?? ""}, ${size(bytes)}`];
    if (text === undefined) return make("li", "", ...about);
    return make("li", "", make("details", "", make("summary", "", ...about), make("pre", "", text)));
  };
  const attemptOf = (attempt, heading, label) => {
    const part = make("section", "attempt");
    if (heading) part.append(make("h3", "", heading, " ", chip(label)));
    part.append(
      facts([
        ["Started", attempt.started],
        ["Duration", duration(attempt.duration)],
        ["Exit code", attempt.code],
      ]),
      ...(attempt.words ?? []).map((words) => make("p", "words", words)),
    );
    if (attempt.log) part.append(make("h3", "", "Output"), logOf(attempt.log));
    if (attempt.dropped) {
      part.append(make("p", "cut-line", `${number(attempt.dropped)} bytes more were not kept`));
    }
    if (attempt.files) {
      part.append(make("h3", "", "Attachments"), make("ul", "files", ...attempt.files.map(fileOf)));
    }
    return part;
  };
  const contentOf = (job, details) => {
    const attempts = details.attempts ?? [];
    const parts = [
      chip(job.standing),
      make("h2", "", job.name),
      make("p", "id", make("code", "", job.id)),
      facts([
        ["Category", job.category],
        ["Device", job.device],
        ["Kind", details.plugin],
        ["Certification", details.status],
        ["Defined in", details.origin],
        ["Template", details.template],
      ]),
    ];
    if (details.description) parts.push(make("p", "words description", details.description));
    attempts.forEach((attempt, at) => {
      const label = attempt.label ? [attempt.kind, attempt.label] : job.standing;
      const whole = attempt.label ? attempt : { ...attempt, duration: job.seconds };
      parts.push(attemptOf(whole, attempts.length > 1 ? `Attempt ${at + 1}` : "", label));
    });
    if (!attempts.length) parts.push(make("p", "quiet", "No attempt has ended."));
    return parts;
  };

  return { make, number, count, duration, chip, contentOf };
})();
