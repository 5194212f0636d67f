"use strict";
// The outcomes by category and device: a table of counts, of which each cell is a filter.
const matrixOf = (data, { narrow }) => {
  const { said, fill, make, number, count, own } = elements;
  const [ROWS, COLUMNS] = [200, 24]; // drawn at most
  const KINDS = ["fail", "crash", "error", "open", "pass", "skip"]; // worst first
  const WRONG = new Set(["fail", "crash", "error"]);
  const kinds = data.labels.map((label) => data.outcomes.findIndex(([id]) => id === label[5]));
  const isWrong = data.outcomes.map(([, kind]) => WRONG.has(kind));

  // How many jobs of each category and device ended in which way, by `category, device`.
  const tallied = (shown) => {
    const cells = new Map();
    for (const index of shown) {
      const key = data.category[index] * data.devices.length + data.device[index];
      let cell = cells.get(key);
      if (!cell) cells.set(key, (cell = new Uint32Array(data.outcomes.length)));
      cell[kinds[data.label[index]]] += 1;
    }
    return cells;
  };
  const wrong = (cell) => cell.reduce((sum, value, at) => (isWrong[at] ? sum + value : sum), 0);
  const sum = (cells) => {
    const total = new Uint32Array(data.outcomes.length);
    for (const cell of cells) cell?.forEach((value, at) => (total[at] += value));
    return total;
  };
  const textOf = (cell) =>
    data.outcomes
      .flatMap(([, , label], at) => (cell[at] ? [`${number(cell[at])} ${label}`] : []))
      .join(", ");

  const cellOf = (cell, choice, heading) => {
    const total = cell.reduce((sum, value) => sum + value, 0);
    const worst = data.outcomes.find((_, at) => cell[at])[1];
    const bad = wrong(cell);
    const bar = make("span", "bar");
    for (const kind of KINDS) {
      const share = cell.reduce((sum, value, at) => (data.outcomes[at][1] === kind ? sum + value : sum), 0);
      if (!share) continue;
      const part = make("span", kind);
      part.style.flexGrow = share;
      bar.append(part);
    }
    const isMixed = cell.filter(Boolean).length > 1;
    const shown = !isMixed ? textOf(cell) : bad ? fill(said.of, { part: number(bad), count: number(total) }) : number(total);
    const button = make("button", `cell ${worst}`, make("span", "", shown), bar);
    button.type = "button";
    const tint = `${bad ? 30 + (70 * bad) / total : 60}%`;
    button.style.background = `color-mix(in srgb, var(--tint) ${tint}, var(--card))`;
    button.title = textOf(cell);
    const whole = isMixed ? `${shown}: ${textOf(cell)}` : shown;
    button.setAttribute("aria-label", `${heading}: ${whole}`);
    button.addEventListener("click", () => narrow(choice));
    return make("td", "", button);
  };
  // The names of those that have jobs, with what went wrong first, then in natural order.
  const ordered = (names, totals, most) => {
    const worst = new Map(names.map((name, at) => [name, totals[at] ? wrong(totals[at]) : 0]));
    const rank = new Map(naturally(names).map((name, at) => [name, at]));
    const present = names.filter((_, at) => totals[at]?.some(Boolean));
    present.sort((a, b) => worst.get(b) - worst.get(a) || rank.get(a) - rank.get(b));
    return { shown: present.slice(0, most), left: Math.max(0, present.length - most) };
  };
  const headOf = (tag, scope, name, choice) => {
    const button = make("button", "", own(name));
    button.type = "button";
    button.addEventListener("click", () => narrow(choice));
    const head = make(tag, "", button);
    head.scope = scope;
    return head;
  };
  const draw = (shown) => {
    const cells = tallied(shown);
    const { categories, devices } = data;
    const across = devices.length;
    const cellAt = (category, device) => cells.get(category * across + device);
    const byCategory = categories.map((_, c) => sum(devices.map((_, d) => cellAt(c, d))));
    const byDevice = devices.map((_, d) => sum(categories.map((_, c) => cellAt(c, d))));
    const rows = ordered(categories, byCategory, ROWS);
    const columns = ordered(devices, byDevice, COLUMNS);

    const corner = make("td", "");
    const heads = columns.shown.map((name) => headOf("th", "col", name, { device: name }));
    const all = make("th", "", said.all_devices);
    all.scope = "col";
    const head = make("thead", "", make("tr", "", corner, ...(across > 1 ? [all] : []), ...heads));
    const body = make("tbody", "");
    for (const category of rows.shown) {
      const at = categories.indexOf(category);
      const total = across > 1 ? [cellOf(byCategory[at], { category }, category)] : [];
      const line = columns.shown.map((device) => {
        const cell = cellAt(at, devices.indexOf(device));
        const heading = across > 1 ? `${category}, ${device}` : category;
        return cell ? cellOf(cell, { category, device }, heading) : make("td", "");
      });
      body.append(make("tr", "", headOf("th", "row", category, { category }), ...total, ...line));
    }
    const table = make("table", "matrix", make("caption", "unseen", said.views.matrix), head, body);
    const frame = make("div", "scroller", table);
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", said.views.matrix);
    const left = rows.left + columns.left;
    return [make("p", "quiet", said.matrix_about), frame, ...(left ? [make("p", "more", count("more_of_matrix", left))] : [])];
  };
  return { draw };
};
