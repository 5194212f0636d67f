"use strict";
// Puts the parts together: what is asked for, what of it is shown, and what leads where.
(async () => {
  const find = (id) => document.getElementById(id);
  const [filter, problem, results] = ["filter", "problem", "results"].map(find);
  if (!find("table")) return;
  document.documentElement.classList.add("scripted");
  const { said, fill } = elements;
  const tell = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  let data;
  try {
    data = await dataOf(find("data"));
  } catch (error) {
    tell(fill(said.problem, { reason: error.message }));
    document.documentElement.classList.remove("js"); // which shows the plain table
    return;
  }
  find("plain").remove();

  const { orderBy, columns } = ordersOf(data);
  const address = addressOf(data, VIEWS, columns);
  const asked = address.blank();
  const chosen = filterOf(data);
  let selected = { shown: [], counts: {} };
  let followed = location.href;
  const write = (how) => {
    const pushed = address.write(asked, how);
    followed = location.href;
    return pushed;
  };

  // From the table, the panel goes through all that the filter leaves.
  const ofTable = () => ({ list: selected.shown, back: (index) => table.focus(index) });
  const panel = panelOf(data, asked, { ...address, write: (_, how) => write(how) });
  const open = (index) => panel.open(index, ofTable());
  const openWithin = (index, list, back) => panel.open(index, { list, back });
  const sort = (by) => {
    asked.sort = { "": by, [by]: `-${by}`, [`-${by}`]: "" }[asked.sort] ?? by;
    change();
  };
  const table = tableOf(data, { open, sort });
  const narrow = (choice) => {
    Object.assign(asked, choice, { view: "table" });
    change({ push: true });
  };
  const drawers = {
    matrix: matrixOf(data, { narrow }),
    timeline: timelineOf(data, { open: openWithin }),
    slowest: slowestOf(data, { open: openWithin }),
  };
  const choose = (view) => {
    asked.view = view;
    change({ push: true });
  };
  const views = viewsOf(table, drawers, { textOf: address.textOf, choose });
  const show = () => {
    selected = chosen.select(asked, orderBy(asked.sort));
    controls.show(selected);
    table.show(selected.shown, asked.sort);
    views.show(asked, selected.shown);
  };
  const change = (how) => {
    tell("");
    show();
    write(how);
    // What was found must be in view even if one was far down the list before.
    const top = find("found-here").getBoundingClientRect().top;
    const above = filter.getBoundingClientRect().bottom - top;
    if (above > 1) scrollBy({ top: -above, behavior: "instant" });
  };
  const reset = () => {
    const { view } = asked;
    Object.assign(asked, address.blank(), { view });
    change();
  };
  const controls = controlsOf(data, asked, { ...chosen, change, reset });

  // Links within the page: to a filter, or from the list of failures to a job of it.
  const failures = () => {
    const links = [...document.querySelectorAll("main a[href^='#job=']")];
    const jobs = links.map((link) => {
      const given = new URLSearchParams(link.hash.slice(1));
      return data.find(given.get("job"), given.get("on"));
    });
    return { links, jobs };
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#job=']");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const { links, jobs } = failures();
    const index = jobs[links.indexOf(link)];
    if (index === undefined || index < 0) return;
    event.preventDefault();
    const back = (job, moved) => {
      const target = moved ? links[jobs.indexOf(job)] : link;
      target.focus({ preventScroll: true });
      if (moved) target.scrollIntoView({ block: "nearest" });
    };
    panel.open(index, { list: [...new Set(jobs)], back });
  });

  // What the address asks for, when the page is opened and when it changes.
  const follow = ({ isNew, isFirst = false }) => {
    if (!isFirst && /^#[\w-]+$/.test(location.hash)) return; // a heading of the page
    const { asked: wanted, unknown } = address.read();
    const { job } = wanted;
    const wasOpen = asked.job !== null;
    if (wasOpen && job === null) panel.leave();
    tell(unknown.length ? fill(said.unknown, { names: unknown.join(", ") }) : "");
    const filtered = (choices) => address.textOf({ ...choices, job: null });
    if (isFirst || filtered(wanted) !== filtered(asked)) {
      Object.assign(asked, wanted, { job: asked.job });
      show();
    }
    if (job !== null) {
      const back = (index) => {
        results.scrollIntoView();
        table.focus(index);
      };
      if (job !== asked.job) panel.open(job, { list: selected.shown, back }, { push: false });
    } else if (isNew && location.hash) results.scrollIntoView();
  };
  const moved = () => {
    if (location.href === followed) return;
    followed = location.href;
    const isNew = history.state === null; // by a link, not by Back: each entry gets a state here
    if (isNew) history.replaceState({}, "");
    follow({ isNew });
    history.scrollRestoration = "auto";
  };
  addEventListener("popstate", moved);
  addEventListener("hashchange", moved);

  // On paper stand the last lines of output; whole logs would fill hundreds of pages.
  addEventListener("beforeprint", () => table.print());
  addEventListener("afterprint", () => table.printed());

  // The head of the table sticks below the filter, whose words may take two lines.
  new ResizeObserver(() => {
    const { height: taken } = filter.getBoundingClientRect();
    document.documentElement.style.setProperty("--filter", `${taken}px`);
  }).observe(filter);

  filter.hidden = find("views").hidden = false;
  follow({ isNew: history.state === null, isFirst: true });
  (globalThis.requestIdleCallback ?? setTimeout)(data.prepare); // so that the first word is quick
})();
