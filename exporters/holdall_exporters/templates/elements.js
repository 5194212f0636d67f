"use strict";
// Pieces of the page. All that comes from the session is put in as text, never as markup.
const elements = (() => {
  const make = (tag, className = "", ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };

  // What the page says, in its language: words, plurals by number, and how numbers are written.
  const said = JSON.parse(document.getElementById("data").dataset.said);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, () => said.thousands);
  const count = (name, value, more = {}) => {
    const form = said.forms[name][said.which[value < 200 ? value : 100 + (value % 100)]];
    return fill(form, { count: number(value), ...more });
  };

  const duration = (seconds) => {
    if (seconds === null || seconds === undefined) return "";
    if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1).replace(".", said.point)} s`;
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
    log.dir = "auto";
    log.append(...runs.map((run) => (typeof run === "string" ? run : make("span", run[0], run[1]))));
    return log;
  };
  const facts = (pairs) => {
    const list = make("dl", "facts");
    for (const [name, value] of pairs) {
      if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", make("bdi", "", String(value)))));
    }
    return list;
  };
  const wordsOf = (name, text) => {
    const words = make("p", name, text);
    words.dir = "auto";
    return words;
  };
  const attemptOf = (attempt, heading, label) => {
    const part = make("section", "attempt");
    if (heading) part.append(make("h3", "", heading, " ", chip(label)));
    part.append(
      facts([
        [said.started, parts.moment(attempt.started)],
        [said.duration, duration(attempt.duration)],
        [said.code, attempt.code],
      ]),
      ...(attempt.words ?? []).map((words) => wordsOf("words", words)),
      ...parts.of(attempt),
    );
    if (attempt.log) part.append(make("h3", "", said.output), logOf(attempt.log));
    if (attempt.dropped) {
      part.append(make("p", "cut-line", count("dropped", attempt.dropped)));
    }
    part.append(...parts.filesOf(attempt));
    if (parts.isEmpty(attempt)) part.append(make("p", "quiet", attempt.code ? said.silent_code : said.silent));
    return part;
  };
  const contentOf = (job, details) => {
    const attempts = details.attempts ?? [];
    const pieces = [
      chip(job.standing),
      make("h2", "", make("bdi", "", job.name)),
      make("p", "id", make("code", "", make("bdi", "", job.id))),
      facts([
        [said.category, job.category],
        [said.device, job.device],
        [said.kind, details.plugin],
        [said.certification, details.status],
        [said.origin, details.origin],
        [said.template, details.template],
      ]),
    ];
    if (details.description) pieces.push(wordsOf("words description", details.description));
    attempts.forEach((attempt, at) => {
      const label = attempt.label ? [attempt.kind, attempt.label] : job.standing;
      const whole = attempt.label ? attempt : { ...attempt, duration: job.seconds };
      pieces.push(attemptOf(whole, attempts.length > 1 ? fill(said.attempt, { number: at + 1 }) : "", label));
    });
    if (!attempts.length) pieces.push(make("p", "quiet", said.nothing));
    return pieces;
  };

  return { said, fill, make, number, count, duration, chip, contentOf };
})();
