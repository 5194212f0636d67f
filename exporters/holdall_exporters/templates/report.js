"use strict";
(async () => {
  const SPARE = 12; // rows drawn above and below what can be seen
  const PRINTED = 2000; // rows on paper at most
  const find = (id) => document.getElementById(id);
  const [body, table, filter, dialog] = ["rows", "table", "filter", "dialog"].map(find);
  if (!table) return;
  document.documentElement.classList.add("scripted");

  const { said, fill, make, number, count, duration, chip, contentOf } = elements;
  const { own } = parts;

  // The data: a line of rows, then lines with the details of `block` rows each.

  const lines = find("data").textContent.split("\n");
  const block = Number(find("data").dataset.block);
  const unpack = (line) => {
    const text = atob(line);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(unpacked).json();
  };
  let data;
  try {
    data = await unpack(lines[0]);
  } catch (error) {
    find("problem").textContent = fill(said.problem, { reason: error.message });
    find("problem").hidden = false;
    document.documentElement.classList.remove("js"); // which shows the plain table
    return;
  }
  find("plain").remove();
  const { rows, labels, categories, devices } = data;
  const [LABEL, SUMMARY, ID, CATEGORY, DEVICE, DURATION, NOTE] = [0, 1, 2, 3, 4, 5, 6];
  const jobAt = (index) => {
    const [label, summary, id, category, device, seconds, note] = rows[index];
    const [standing, about] = [labels[label], { category: categories[category], device: devices[device] }];
    return { standing, name: summary || id, id, note: note || "", seconds, ...about };
  };
  const unpacked = new Map();
  const detailsOf = async (index) => {
    const line = 1 + Math.floor(index / block);
    if (!unpacked.has(line)) unpacked.set(line, unpack(lines[line]));
    const details = (await unpacked.get(line))[index % block];
    if (details.like === undefined) return details;
    return { ...(await detailsOf(details.like)), attempts: details.attempts };
  };
  const sought = rows.map((row) =>
    `${row[SUMMARY] || ""} ${row[ID]} ${row[NOTE] || ""} ${categories[row[CATEGORY]]} ${devices[row[DEVICE]]}`.toLowerCase(),
  );

  // What is asked for; it stands behind the # of the address.

  const kinds = [...filter.querySelectorAll("[data-kind]")];
  const inputs = { q: find("words"), category: find("category"), device: find("device") };
  const asked = { outcome: new Set(), sort: "", job: null };
  const offer = (select, names) => {
    select.append(...[...names].sort().map((name) => new Option(name, name)));
    select.hidden = names.length < 2;
  };
  offer(inputs.category, categories);
  offer(inputs.device, devices);
  table.classList.toggle("one-device", devices.length < 2);

  const readAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const [name, input] of Object.entries(inputs)) input.value = given.get(name) ?? "";
    for (const select of [inputs.category, inputs.device]) {
      if (select.selectedIndex < 0) select.value = "";
    }
    asked.outcome = new Set((given.get("outcome") ?? "").split(",").filter(Boolean));
    asked.sort = given.get("sort") ?? "";
    const job = given.get("job");
    asked.job = job !== null && /^\d+$/.test(job) && rows[job] ? Number(job) : null;
  };
  const writeAddress = () => {
    const wanted = new URLSearchParams();
    const name = (key, value) => value && wanted.set(key, value);
    for (const [key, input] of Object.entries(inputs)) name(key, input.value.trim());
    name("outcome", [...asked.outcome].join(","));
    name("sort", asked.sort);
    if (asked.job !== null) wanted.set("job", asked.job);
    try {
      history.replaceState(null, "", `#${wanted}`);
    } catch {
      // A frame without an address of its own: the page works, links to it don't hold the filter.
    }
  };

  // Which rows are shown, in which order.

  const ranked = (column, names) => {
    const places = new Map([...names].sort().map((name, at) => [name, at]));
    return rows.map((row) => places.get(names[row[column]]));
  };
  const severity = ["fail", "crash", "error", "open", "pass", "skip"];
  const keys = {
    outcome: () => {
      const ranks = labels.map(([kind, ...words]) => severity.indexOf(kind) + words.join(" "));
      return rows.map((row) => ranks[row[LABEL]]);
    },
    job: () => rows.map((row) => (row[SUMMARY] || row[ID]).toLowerCase()),
    category: () => ranked(CATEGORY, categories),
    device: () => ranked(DEVICE, devices),
    duration: () => rows.map((row) => row[DURATION] ?? -1),
  };
  const orders = new Map([["", rows.map((_, index) => index)]]);
  const order = (sort) => {
    if (!orders.has(sort)) {
      const key = keys[sort.replace("-", "")]?.();
      const way = sort.startsWith("-") ? -1 : 1;
      const by = (a, b) => (key[a] < key[b] ? -way : key[a] > key[b] ? way : 0);
      orders.set(sort, key ? [...orders.get("")].sort(by) : orders.get(""));
    }
    return orders.get(sort);
  };
  let shown = [];
  const select = () => {
    const words = inputs.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = labels.map(([kind]) => !asked.outcome.size || asked.outcome.has(kind));
    const category = categories.indexOf(inputs.category.value);
    const device = devices.indexOf(inputs.device.value);
    shown = order(asked.sort).filter((index) => {
      const row = rows[index];
      return (
        wanted[row[LABEL]] &&
        (category < 0 || row[CATEGORY] === category) &&
        (device < 0 || row[DEVICE] === device) &&
        words.every((word) => sought[index].includes(word))
      );
    });
  };

  // The table: only rows that can be seen are in it, and the one that has the focus.

  const drawn = new Map(); // by place among the shown
  let height = 56;
  let current = 0;
  const rowOf = (place) => {
    const job = jobAt(shown[place]);
    const button = make("button", "name", own(job.name));
    button.type = "button";
    button.setAttribute("aria-haspopup", "dialog");
    const note = job.note ? [make("span", "note", own(job.note))] : [];
    const head = make("th", "job", button, make("span", "sub", make("code", "", own(job.id)), ...note));
    head.scope = "row";
    const cells = [["category", job.category], ["device", job.device], ["time", duration(job.seconds)]];
    const element = make("tr", "", make("td", "state", chip(job.standing)), head);
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
  let printing = false;
  const draw = () => {
    if (printing) return;
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
  const show = () => {
    select();
    drawn.clear();
    body.replaceChildren();
    current = 0;
    draw();
    measure();
    table.setAttribute("aria-rowcount", shown.length + 1);
    find("found").value =
      shown.length === rows.length
        ? count("jobs", rows.length)
        : count("found", rows.length, { shown: number(shown.length) });
    for (const each of kinds) each.setAttribute("aria-pressed", asked.outcome.has(each.dataset.kind));
    for (const head of table.tHead.rows[0].cells) {
      const way = { [head.dataset.sort]: "ascending", [`-${head.dataset.sort}`]: "descending" }[asked.sort];
      if (way) head.setAttribute("aria-sort", way);
      else head.removeAttribute("aria-sort");
    }
  };
  const change = () => {
    show();
    writeAddress();
    // What was found must be in view even if one was far down the list before.
    const above = filter.getBoundingClientRect().bottom - table.getBoundingClientRect().top;
    if (above > 1) scrollBy(0, -above);
  };

  // The details of one job.

  const open = async (index) => {
    asked.job = index;
    writeAddress();
    const details = await detailsOf(index);
    if (asked.job !== index) return;
    find("details").replaceChildren(...contentOf(jobAt(index), details));
    const at = shown.indexOf(index);
    if (at >= 0) current = at;
    find("previous").disabled = at <= 0;
    find("next").disabled = at < 0 || at === shown.length - 1;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    drawSoon();
  };
  dialog.addEventListener("close", () => {
    asked.job = null;
    writeAddress();
    if (shown.length) move(current);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  find("close").addEventListener("click", () => dialog.close());
  find("previous").addEventListener("click", () => open(shown[current - 1]));
  find("next").addEventListener("click", () => open(shown[current + 1]));

  dialog.addEventListener("keydown", (event) => {
    const button = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
    if (button && !event.altKey && !event.ctrlKey && !event.metaKey) find(button).click();
  });

  // Hands and keys.

  const move = (to) => {
    current = Math.max(0, Math.min(to, shown.length - 1));
    if (!drawn.has(current)) {
      scrollBy(0, body.getBoundingClientRect().top + current * height - innerHeight / 2);
      draw();
    }
    place(Math.min(...drawn.keys()), Math.max(...drawn.keys()) + 1);
    drawn.get(current)?.querySelector("button").focus();
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
    if (!by) return;
    asked.sort = { "": by, [by]: `-${by}`, [`-${by}`]: "" }[asked.sort] ?? by;
    change();
  });
  filter.addEventListener("input", change);
  filter.addEventListener("click", (event) => {
    const kind = event.target.closest("[data-kind]")?.dataset.kind;
    if (!kind) return;
    if (!asked.outcome.delete(kind)) asked.outcome.add(kind);
    change();
  });
  find("reset").addEventListener("click", () => {
    asked.outcome.clear();
    asked.sort = "";
    for (const input of Object.values(inputs)) input.value = "";
    change();
  });
  const follow = () => {
    if (/^#[\w-]+$/.test(location.hash)) return; // a heading of the page
    const before = asked.job;
    readAddress();
    show();
    if (asked.job !== null) open(asked.job);
    else if (dialog.open) dialog.close();
    else if (before === null && location.hash) find("results").scrollIntoView();
  };
  addEventListener("hashchange", follow);
  addEventListener("scroll", drawSoon, { passive: true });
  addEventListener("resize", () => {
    drawSoon();
    measure();
  });

  // On paper there is no scrolling: rows up to a number, and all output that is on the page.

  let opened = [];
  addEventListener("beforeprint", () => {
    printing = true;
    const left = shown.length - PRINTED;
    place(0, Math.min(shown.length, PRINTED));
    find("left-out").textContent = count("left_out", Math.max(0, left));
    find("left-out").hidden = left <= 0;
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    printing = false;
    find("left-out").hidden = true;
    for (const each of opened) each.open = false;
    draw();
  });

  // The head of the table sticks below the filter, whose words may take two lines.
  new ResizeObserver(() => {
    const { height: taken } = filter.getBoundingClientRect();
    document.documentElement.style.setProperty("--filter", `${taken}px`);
  }).observe(filter);

  table.hidden = filter.hidden = false;
  readAddress();
  show();
  if (asked.job !== null) open(asked.job);
})();
