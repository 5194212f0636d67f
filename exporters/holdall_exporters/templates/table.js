"use strict";
// The table: only rows that can be seen are in it, and the one that has the focus.
const tableOf = (data, { open, sort }) => {
  const { make, chip, own, duration, count, marks } = elements;
  const SPARE = 12; // rows drawn above and below what can be seen
  const PRINTED = 2000; // rows on paper at most
  const table = document.getElementById("table");
  const body = document.getElementById("rows");
  const leftOut = document.getElementById("left-out");
  table.classList.toggle("one-device", data.devices.length < 2);

  const drawn = new Map(); // by place among the shown
  let shown = [];
  let height = 56;
  let current = 0;
  let printing = false;
  const rowOf = (place) => {
    const job = data.job(shown[place]);
    const button = make("button", "name", own(job.name));
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    const note = job.note ? [make("span", "note", own(job.note))] : [];
    const head = make("th", "job", button, make("span", "sub", make("code", "", own(job.id)), ...note));
    head.scope = "row";
    const cells = [["category", job.category], ["device", job.device], ["time", duration(job.seconds)]];
    const element = make("tr", "", make("td", "state", chip(job.standing, marks(job))), head);
    element.append(...cells.map(([name, text]) => make("td", name, own(text))));
    element.setAttribute("aria-rowindex", place + 2);
    element.dataset.place = place;
    return element;
  };
  const gap = (size) => {
    const cell = make("td");
    cell.style.height = `${size * height}px`;
    const element = make("tr", "gap", cell);
    element.setAttribute("aria-hidden", "true");
    return element;
  };
  const place = (first, last) => {
    const focused = Number(document.activeElement?.closest("#rows tr")?.dataset.place ?? -1);
    const wanted = [];
    if (focused >= 0 && focused < first) wanted.push(focused);
    for (let at = first; at < last; at += 1) wanted.push(at);
    if (focused >= last && focused < shown.length) wanted.push(focused);
    const stays = new Set(wanted);
    for (const [at, element] of drawn) {
      if (!stays.has(at)) {
        element.remove();
        drawn.delete(at);
      }
    }
    for (const element of body.querySelectorAll(".gap")) element.remove();
    let next = body.firstChild;
    let done = 0;
    for (const at of wanted) {
      if (at > done) body.insertBefore(gap(at - done), next);
      const element = drawn.get(at) ?? rowOf(at);
      if (element === next) next = next.nextSibling;
      else body.insertBefore(element, next);
      drawn.set(at, element);
      done = at + 1;
    }
    if (done < shown.length && !printing) body.append(gap(shown.length - done));
    const stop = drawn.has(current) ? current : first;
    for (const [at, element] of drawn) element.querySelector("button").tabIndex = at === stop ? 0 : -1;
  };
  const draw = () => {
    if (printing || table.hidden) return;
    const top = body.getBoundingClientRect().top;
    const seen = Math.max(0, Math.ceil((innerHeight - top) / height));
    const last = Math.min(shown.length, seen + SPARE);
    place(Math.max(0, Math.min(Math.floor(-top / height) - SPARE, last - 1)), last);
  };
  let awaited = 0;
  const drawSoon = () => {
    awaited ||= requestAnimationFrame(() => {
      awaited = 0;
      draw();
    });
  };
  const measure = () => {
    const row = body.querySelector("tr:not(.gap)");
    const measured = row?.getBoundingClientRect().height;
    if (measured && Math.abs(measured - height) > 0.01) {
      height = measured;
      draw();
    }
  };
  const show = (jobs, by) => {
    shown = jobs;
    drawn.clear();
    body.replaceChildren();
    current = 0;
    draw();
    measure();
    table.setAttribute("aria-rowcount", shown.length + 1);
    for (const head of table.tHead.rows[0].cells) {
      const way = { [head.dataset.sort]: "ascending", [`-${head.dataset.sort}`]: "descending" }[by];
      if (way) head.setAttribute("aria-sort", way);
      else head.removeAttribute("aria-sort");
    }
  };

  // Give a row the focus, and scroll no more than it takes to see it.
  const move = (to) => {
    current = Math.max(0, Math.min(to, shown.length - 1));
    const top = body.getBoundingClientRect().top + current * height;
    const above = document.getElementById("filter").getBoundingClientRect();
    const covered = Math.max(0, above.bottom) + table.tHead.getBoundingClientRect().height;
    if (top < covered || top + height > innerHeight) {
      scrollBy({ top: top - (innerHeight + covered) / 2, behavior: "instant" });
    }
    draw();
    if (!drawn.has(current)) place(current, current + 1);
    place(Math.min(...drawn.keys()), Math.max(...drawn.keys()) + 1);
    drawn.get(current)?.querySelector("button").focus({ preventScroll: true });
  };
  const page = () => Math.max(1, Math.floor(innerHeight / height) - 3);
  const steps = {
    ArrowDown: () => current + 1,
    ArrowUp: () => current - 1,
    PageDown: () => current + page(),
    PageUp: () => current - page(),
    Home: () => 0,
    End: () => shown.length - 1,
  };
  body.addEventListener("keydown", (event) => {
    if (!steps[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    move(steps[event.key]());
  });
  body.addEventListener("focusin", (event) => {
    const row = event.target.closest("tr");
    if (row) current = Number(row.dataset.place);
  });
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr:not(.gap)");
    if (row && !getSelection().toString()) open(shown[Number(row.dataset.place)]);
  });
  table.tHead.addEventListener("click", (event) => {
    const by = event.target.closest("button")?.closest("th").dataset.sort;
    if (by) sort(by);
  });
  addEventListener("scroll", drawSoon, { passive: true });
  addEventListener("resize", () => {
    drawSoon();
    measure();
  });

  // On paper there is no scrolling: rows up to a number.
  const print = () => {
    if (table.hidden) return;
    printing = true;
    const left = shown.length - PRINTED;
    place(0, Math.min(shown.length, PRINTED));
    leftOut.textContent = count("left_out", Math.max(0, left));
    leftOut.hidden = left <= 0;
  };
  const printed = () => {
    printing = false;
    leftOut.hidden = true;
    draw();
  };
  return {
    show,
    print,
    printed,
    focus: (index) => shown.length && move(Math.max(0, shown.indexOf(index))),
    get hidden() {
      return table.hidden;
    },
    set hidden(hidden) {
      table.hidden = hidden;
      draw();
      measure();
    },
  };
};
