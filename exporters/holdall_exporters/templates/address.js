"use strict";
// What is asked for, as it stands behind the # of the address: a link shows the same to anybody.
const addressOf = (data, views, columns) => {
  const blank = () => ({
    q: "", outcome: new Set(), flaky: false, category: null, device: null, status: null, sort: "", view: "table", job: null,
  });
  const known = {
    category: (name) => data.categories.includes(name),
    device: (name) => data.devices.includes(name),
    status: (name) => data.statuses.includes(name),
    sort: (name) => columns.includes(name.replace("-", "")),
    view: (name) => views.includes(name),
  };

  // Return what the address asks for, and what of it this report does not have.
  const read = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const asked = blank();
    const unknown = [];
    asked.q = given.get("q") ?? "";
    asked.flaky = given.get("flaky") === "yes";
    for (const [name, isKnown] of Object.entries(known)) {
      const value = given.get(name);
      if (value === null) continue;
      if (isKnown(value)) asked[name] = value;
      else if (value) unknown.push(value);
    }
    for (const id of (given.get("outcome") ?? "").split(",").filter(Boolean)) {
      if (data.outcomes.some(([known]) => known === id)) asked.outcome.add(id);
      else unknown.push(id);
    }
    const job = given.get("job");
    if (job !== null) {
      const index = data.find(job, given.get("on"));
      if (index >= 0) asked.job = index;
      else unknown.push(job);
    }
    return { asked, unknown };
  };
  const textOf = (asked) => {
    const wanted = new URLSearchParams();
    const name = (key, value) => value && wanted.set(key, value);
    name("q", asked.q.trim());
    name("outcome", [...asked.outcome].join(","));
    name("flaky", asked.flaky && "yes");
    for (const choice of ["category", "device", "status"]) {
      if (asked[choice] !== null) wanted.set(choice, asked[choice]);
    }
    name("sort", asked.sort);
    name("view", asked.view !== "table" && asked.view);
    if (asked.job !== null) {
      wanted.set("job", data.id(asked.job));
      if (data.devices.length > 1) wanted.set("on", data.devices[data.device[asked.job]]);
    }
    const text = String(wanted);
    return text && `#${text}`;
  };
  // Put it into the address; with `push`, Back leads to what was asked for before.
  const write = (asked, { push = false, state = null } = {}) => {
    const url = textOf(asked) || location.pathname + location.search;
    try {
      if (push) history.pushState(state ?? {}, "", url);
      else history.replaceState(state ?? history.state ?? {}, "", url);
      return push;
    } catch {
      return false; // a frame without an address of its own: the page works, and no link holds this
    }
  };
  return { blank, read, textOf, write };
};
