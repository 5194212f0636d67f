"use strict";
// All jobs: columns of what the table shows, and the details of a job when they are asked for.
const dataOf = async (element) => {
  const [first, ...packed] = element.textContent.split("\n");
  const block = Number(element.dataset.block);
  const unpack = (line) => {
    const text = atob(line);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(unpacked).json();
  };
  const { rows, labels, outcomes, categories, devices, begin } = await unpack(first);
  const size = rows.length;
  const statuses = [...new Set(labels.map(([, , , status]) => status))];
  const [label, category, device] = [0, 0, 0].map(() => new Uint32Array(size));
  const [seconds, start] = [0, 0].map(() => new Float64Array(size));
  for (let index = 0; index < size; index += 1) {
    const row = rows[index];
    [label[index], category[index], device[index]] = [row[0], row[3], row[4]];
    seconds[index] = row[5] ?? NaN;
    start[index] = row[7] ?? NaN;
  }
  const data = {
    size,
    labels,
    outcomes,
    categories,
    devices,
    statuses,
    begin,
    label,
    category,
    device,
    seconds,
    start,
    name: (index) => rows[index][1] || rows[index][2],
    id: (index) => rows[index][2],
    note: (index) => rows[index][6] || "",
  };
  data.job = (index) => {
    const [kind, label, more, status, flaky] = labels[data.label[index]];
    return {
      standing: [kind, label, more],
      flaky,
      status,
      name: data.name(index),
      id: data.id(index),
      note: data.note(index),
      seconds: rows[index][5],
      category: categories[data.category[index]],
      device: devices[data.device[index]],
    };
  };

  // The job that a link names; without a device it is the first one of that id.
  data.find = (id, device) => {
    const on = devices.indexOf(device);
    return rows.findIndex((row) => row[2] === id && (on < 0 || row[4] === on));
  };

  // The words of all jobs are one text, where a browser finds a word quicker than in each.
  const END = "\0"; // which is in no text of a report
  let words;
  const wordsOfAll = () => {
    if (words) return words;
    const texts = rows.map(([, summary, id, category, device, , note]) =>
      [summary || "", id, note || "", categories[category], devices[device]].join(" "),
    );
    const text = texts.join(END).toLowerCase() + END;
    const ends = new Uint32Array(size);
    for (let row = 0, at = 0; row < size; row += 1) {
      ends[row] = text.indexOf(END, at);
      at = ends[row] + 1;
    }
    words = { text, ends };
    return words;
  };
  data.prepare = wordsOfAll;
  // How many of some words each job has.
  data.matches = (sought) => {
    const { text, ends } = wordsOfAll();
    const found = new Uint8Array(size);
    for (const word of sought) {
      let row = 0;
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, ends[row] + 1)) {
        while (ends[row] < at) row += 1;
        found[row] += 1;
      }
    }
    return found;
  };

  const blocks = new Map();
  data.details = async (index) => {
    const line = Math.floor(index / block);
    if (!blocks.has(line)) blocks.set(line, unpack(packed[line]));
    const details = (await blocks.get(line))[index % block];
    if (details.like === undefined) return details;
    return { ...(await data.details(details.like)), attempts: details.attempts };
  };
  return data;
};
