"use strict";
// Parts of an attempt: tables of measurements and subtests, and the files that it left behind.
const parts = (() => {
  const { said, fill, make, number, count, own } = elements;

  const svg = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  // The mark of an outcome, which the page has beside its counts.
  const mark = (kind) => {
    const picture = svg("svg", { class: `mark ${kind}`, width: 10, height: 10, viewBox: "0 0 10 10", "aria-hidden": true });
    picture.append(svg("path", { d: said.shapes[kind] }));
    return picture;
  };
  const outcome = (kind, label) => (label ? make("td", kind, mark(kind), ` ${label}`) : make("td"));

  const table = (heads, rows) => {
    const head = make("tr");
    for (const name of heads) {
      const cell = make("th", "", name);
      cell.scope = "col";
      head.append(cell);
    }
    const whole = make("table", "parts", make("thead", "", head), make("tbody", "", ...rows));
    const scrolling = make("div", "scrolling", whole);
    scrolling.tabIndex = 0; // by keys, where a window is narrow
    return scrolling;
  };
  const row = (kind, name, ...cells) => {
    const head = make("th", "", own(name));
    head.scope = "row";
    return make("tr", kind, head, ...cells);
  };
  const measurementsOf = (measurements) =>
    table(
      [said.measurement, said.value, said.limits, said.outcome],
      measurements.map(([name, value, limits, kind, label]) =>
        row(kind, name, make("td", "", own(value)), make("td", "", own(limits)), outcome(kind, label)),
      ),
    );
  const subtestsOf = (subtests) =>
    table(
      [said.subtest, said.outcome, said.duration, said.reason],
      subtests.map(([name, kind, label, seconds, message]) => {
        const reason = make("td", "words", message);
        reason.dir = "auto";
        return row(kind, name, outcome(kind, label), make("td", "", seconds), reason);
      }),
    );

  // The contents of files are lines of base64; one that was not kept is empty.
  let contents;
  const contentOf = (line) => {
    contents ??= document.getElementById("contents").textContent.split("\n");
    return contents[line];
  };
  const size = (bytes) =>
    bytes < 1024 ? count("bytes", bytes) : fill(said.kib, { count: number(Math.round(bytes / 1024)) });
  const imageOf = ({ name, image, line }) => {
    const picture = new Image();
    picture.className = "picture";
    picture.alt = name;
    picture.src = `data:${image};base64,${contentOf(line)}`;
    return picture;
  };
  // A file beside the page, where it stands in an archive.
  const linkTo = (path, ...children) => {
    const link = make("a", "", ...children);
    link.href = path;
    return link;
  };
  // Whatever it is, it is saved and never opened: a page or a drawing may have scripts in it.
  const saverOf = ({ name, line }) => {
    const link = make("a", "save", said.save);
    link.href = `data:application/octet-stream;base64,${contentOf(line)}`;
    link.download = name;
    return link;
  };
  const fileOf = (file) => {
    const { name, type, size: bytes, text, image, line, at } = file;
    const here = line !== undefined && (bytes === 0 || contentOf(line) !== "");
    const item = make("li", "", make("b", "", at ? linkTo(at, own(name)) : own(name)), " ", own(type ?? ""), `, ${size(bytes)} `);
    if (here) item.append(saverOf(file));
    else if (text === undefined && !at) item.append(make("span", "quiet", line === undefined ? said.too_large : said.missing));
    if (here && image) item.append(imageOf(file));
    if (text !== undefined) {
      const shown = make("pre", "", text);
      shown.dir = "auto";
      const open = make("details", "", make("summary", "", said.content), shown);
      open.open = true;
      item.append(open);
    }
    return item;
  };

  // What an attempt has besides its output.
  const of = (attempt) => {
    const found = [];
    if (attempt.measurements) found.push(make("h3", "", said.measurements), measurementsOf(attempt.measurements));
    if (attempt.subtests) found.push(make("h3", "", said.subtests), subtestsOf(attempt.subtests));
    return found;
  };
  const filesOf = (attempt) =>
    attempt.files ? [make("h3", "", said.attachments), make("ul", "files", ...attempt.files.map(fileOf))] : [];
  const isEmpty = (attempt) =>
    !["words", "log", "dropped", "measurements", "subtests", "files", "at"].some((name) => attempt[name]);

  return { of, filesOf, isEmpty, linkTo, mark };
})();
