"use strict";
// Which jobs are asked for. Each count says how many there would be of that one choice, with all
// the other choices as they are.
const filterOf = (data) => {
  // A choice is one of several; no choice is -1, and lets all through.
  const columns = { category: data.category, device: data.device };
  const names = { category: data.categories, device: data.devices, status: data.statuses };
  const statusOf = data.labels.map(([, , , status]) => data.statuses.indexOf(status));
  const outcomeOf = data.labels.map((label) => data.outcomes.findIndex(([id]) => id === label[5]));
  const isFlaky = data.labels.map((label) => label[4]);

  // How often each choice is left by the other ones, and the jobs that all of them leave.
  const select = (asked, order) => {
    const words = [...new Set(asked.q.toLowerCase().split(/\s+/))].filter(Boolean).slice(0, 200);
    const found = words.length ? data.matches(words) : null;
    const [category, device, status] = Object.keys(names).map((name) => names[name].indexOf(asked[name]));
    const wanted = outcomeOf.map((at) => !asked.outcome.size || asked.outcome.has(data.outcomes[at][0]));
    const counts = { flaky: 0, outcome: new Uint32Array(data.outcomes.length) };
    for (const name of Object.keys(names)) counts[name] = new Uint32Array(names[name].length);
    const [categories, devices] = [columns.category, columns.device];
    const shown = new Uint32Array(data.size);
    let number = 0;
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at];
      if (found && found[index] !== words.length) continue;
      const label = data.label[index];
      // The choices that a job is against; it still counts for one if it is against that one alone.
      const against =
        (wanted[label] ? 0 : 1) |
        (!asked.flaky || isFlaky[label] ? 0 : 2) |
        (category < 0 || categories[index] === category ? 0 : 4) |
        (device < 0 || devices[index] === device ? 0 : 8) |
        (status < 0 || statusOf[label] === status ? 0 : 16);
      if (against === 0) {
        shown[number] = index;
        number += 1;
      }
      if ((against & ~1) === 0) counts.outcome[outcomeOf[label]] += 1;
      if ((against & ~2) === 0 && isFlaky[label]) counts.flaky += 1;
      if ((against & ~4) === 0) counts.category[categories[index]] += 1;
      if ((against & ~8) === 0) counts.device[devices[index]] += 1;
      if ((against & ~16) === 0) counts.status[statusOf[label]] += 1;
    }
    return { shown: shown.subarray(0, number), counts };
  };
  return { names, select, hasFlaky: isFlaky.some(Boolean) };
};

// The same in natural order: `disk 9` before `disk 10`, whatever the case and the accents.
const ASCII = /^[ -~]*$/;
const naturalKey = (text) =>
  (ASCII.test(text) ? text : text.normalize("NFKD").replace(/\p{M}+/gu, ""))
    .toLowerCase()
    .replace(/\d+/g, (digits) => {
      const value = digits[0] === "0" ? digits.replace(/^0+(?=\d)/, "") : digits;
      return String.fromCharCode(0x30 + Math.min(value.length, 0x2000)) + value;
    });
const naturally = (names) => {
  const keys = new Map(names.map((name) => [name, naturalKey(name)]));
  const compare = (a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : 0);
  return [...names].sort(compare);
};

// The order of the rows by a column, the other way with a `-` before it; made once for each.
const ordersOf = (data) => {
  const severity = new Map(data.outcomes.map(([id], at) => [id, at]));
  const ranked = (column, names) => {
    const ranks = new Map(naturally(names).map((name, at) => [name, at]));
    const rankOf = names.map((name) => ranks.get(name));
    return (index) => rankOf[column[index]];
  };
  const rankOfLabel = () => {
    const ranked = data.labels.map((label, at) => [severity.get(label[5]), naturalKey(label[2]), at]);
    ranked.sort(([a, b], [c, d]) => a - c || (b < d ? -1 : Number(b > d)));
    const ranks = [];
    ranked.forEach(([, , at], rank) => (ranks[at] = rank));
    return (index) => ranks[data.label[index]];
  };
  const keys = {
    outcome: rankOfLabel,
    job: () => {
      const names = Array.from({ length: data.size }, (_, index) => naturalKey(data.name(index)));
      return (index) => names[index];
    },
    category: () => ranked(data.category, data.categories),
    device: () => ranked(data.device, data.devices),
    duration: () => (index) => (Number.isNaN(data.seconds[index]) ? -1 : data.seconds[index]),
  };
  const asRun = Uint32Array.from({ length: data.size }, (_, index) => index);
  const orders = new Map([["", asRun]]);
  const orderBy = (sort) => {
    if (!orders.has(sort)) {
      const key = keys[sort.replace("-", "")]?.();
      const values = key && Array.from(asRun, key);
      const way = sort.startsWith("-") ? -1 : 1;
      const compare = (a, b) => (values[a] < values[b] ? -way : values[a] > values[b] ? way : 0);
      orders.set(sort, values ? Uint32Array.from([...asRun].sort(compare)) : asRun);
    }
    return orders.get(sort);
  };
  return { orderBy, columns: Object.keys(keys) };
};
