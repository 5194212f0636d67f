"use strict";
// Pieces of the page. All that comes from the session is put in as text, never as markup.
const elements = (() => {
  const make = (tag, className = "", ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };

  // Text of the session, which may run from right to left without moving what stands beside it.
  const own = (text) => make("bdi", "", text);

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

  // A moment in UTC, as the rest of the page writes it.
  const moment = (seconds) =>
    typeof seconds === "number"
      ? `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`
      : (seconds ?? "");

  // The outcome of a job or an attempt, with other marks beside it.
  const chip = ([kind, label, more], marks = []) => {
    const state = make("span", "standing", make("span", `chip ${kind}`, label), ...marks);
    if (more) state.append(make("span", "because", more));
    return state;
  };

  const marks = (job) => (job.flaky ? [make("span", "chip flaky", said.flaky)] : []);

  return { said, fill, make, own, number, count, duration, moment, chip, marks };
})();
