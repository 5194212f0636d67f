"use strict";
// The run by device, each job where it was in time. A lane is one path for each kind of outcome,
// however many jobs it has; the arrow keys go from job to job.
const timelineOf = (data, { open }) => {
  const { said, fill, make, number, count, duration, moment, own } = elements;
  const LANES = 100; // drawn at most
  const HEIGHT = 22;
  const NEAR = 4; // pixels that a pointer may be off
  const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
  const KINDS = ["skip", "pass", "open", "error", "crash", "fail"]; // what lies over the others last
  const rankOf = data.labels.map(([kind]) => KINDS.indexOf(kind));
  const endOf = (index) => data.start[index] + (data.seconds[index] || 0);

  const svg = (tag, attributes, ...children) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const spanOf = (jobs) => {
    let [from, to] = [Infinity, -Infinity];
    for (const index of jobs) {
      from = Math.min(from, data.start[index]);
      to = Math.max(to, endOf(index));
    }
    return { from, length: Math.max(to - from, 0.1) };
  };
  // A path of the jobs of one kind: columns of pixels, those beside each other as one piece.
  const pathOf = (jobs, kind, xOf, width) => {
    const taken = new Uint8Array(width + 1);
    const least = kind === "skip" || kind === "pass" ? 1 : 2;
    for (const index of jobs) {
      const left = Math.min(Math.floor(xOf(data.start[index])), width - least);
      const right = Math.max(left + least, Math.min(width, Math.round(xOf(endOf(index)))));
      taken.fill(1, left, right);
    }
    let path = "";
    for (let x = 0; x < width; x += 1) {
      if (!taken[x]) continue;
      const left = x;
      while (taken[x]) x += 1;
      path += `M${left} 0H${x}V${HEIGHT}H${left}z`;
    }
    return path;
  };
  const textOf = (index) => {
    const { standing, name, seconds } = data.job(index);
    const [, label] = standing;
    return [name, label, duration(seconds), moment(data.begin + data.start[index])].filter(Boolean).join(" · ");
  };

  const laneOf = (device, jobs, span, width, told) => {
    jobs.sort((a, b) => data.start[a] - data.start[b]);
    const xOf = (time) => ((time - span.from) / span.length) * width;
    const chart = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, preserveAspectRatio: "none", "aria-hidden": "true" });
    for (const [rank, kind] of KINDS.entries()) {
      const d = pathOf(jobs.filter((index) => rankOf[data.label[index]] === rank), kind, xOf, width);
      if (d) chart.append(svg("path", { d, class: kind }));
    }
    const cursor = svg("rect", { class: "cursor", y: 0, height: HEIGHT, width: 0 });
    chart.append(cursor);
    const lane = make("div", "lane", chart);
    lane.tabIndex = 0;
    for (const [name, value] of Object.entries({ role: "slider", "aria-label": device, "aria-valuemin": 1, "aria-valuemax": jobs.length })) {
      lane.setAttribute(name, value);
    }
    let here = 0;
    const point = (at) => {
      here = at;
      const left = Math.min(xOf(data.start[jobs[at]]), width - 2);
      cursor.setAttribute("x", left);
      cursor.setAttribute("width", Math.max(2, xOf(endOf(jobs[at])) - left));
      lane.setAttribute("aria-valuenow", at + 1);
      lane.setAttribute("aria-valuetext", textOf(jobs[at]));
      told.textContent = textOf(jobs[at]);
    };
    // The job at a place; of several the worst, the nearest of those.
    const jobAt = (x) => {
      let best = -1;
      let value = Infinity;
      for (const [at, index] of jobs.entries()) {
        const off = Math.max(0, xOf(data.start[index]) - x, x - xOf(endOf(index)));
        if (off > NEAR && best >= 0 && off >= value) continue;
        const worth = off > NEAR ? off : -10 * rankOf[data.label[index]] + off - 1000;
        if (worth < value) [best, value] = [at, worth];
      }
      return best;
    };
    const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 20, PageDown: -20, Home: -Infinity, End: Infinity };
    const choose = () => open(jobs[here], jobs, (index) => {
      point(Math.max(0, jobs.indexOf(index)));
      lane.focus();
    });
    lane.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") choose();
      else if (event.key in steps) point(Math.max(0, Math.min(here + steps[event.key], jobs.length - 1)));
      else return;
      event.preventDefault();
    });
    const pointed = (event) => jobAt((event.clientX - chart.getBoundingClientRect().left) * (width / chart.getBoundingClientRect().width));
    lane.addEventListener("pointermove", (event) => point(pointed(event)));
    lane.addEventListener("click", (event) => {
      point(pointed(event));
      choose();
    });
    lane.addEventListener("focus", () => point(here));
    lane.setAttribute("aria-valuenow", 1);
    lane.setAttribute("aria-valuetext", textOf(jobs[0]));
    return make("div", "lane-row", make("div", "lane-name", own(device)), lane);
  };
  const tickOf = (time) => (time < 60 ? `${number(time)} s` : duration(time).replace(/ 00 (s|min)$/, ""));
  const axisOf = (span, width) => {
    const most = Math.max(1, Math.floor(width / 75));
    const step = STEPS.find((each) => span.length / each <= most) ?? Math.ceil(span.length / most / 86400) * 86400;
    const axis = make("div", "axis");
    axis.setAttribute("aria-hidden", "true");
    for (let time = 0; time <= span.length * (1 - 40 / width); time += step) {
      const tick = make("span", "", tickOf(time));
      tick.style.left = `${(100 * time) / span.length}%`;
      axis.append(tick);
    }
    return make("div", "lane-row", make("div", "lane-name"), axis);
  };
  const draw = (shown, room) => {
    const timed = shown.filter((index) => !Number.isNaN(data.start[index]));
    if (!timed.length) return [make("p", "quiet", said.no_times)];
    const span = spanOf(timed);
    const byDevice = new Map();
    for (const index of timed) {
      const device = data.devices[data.device[index]];
      if (!byDevice.has(device)) byDevice.set(device, []);
      byDevice.get(device).push(index);
    }
    const names = naturally([...byDevice.keys()]);
    const width = Math.max(200, Math.floor(room - (room > 640 ? 170 : 0)));
    const told = make("p", "pointed", said.point_at);
    const lanes = names.slice(0, LANES).map((name) => laneOf(name, byDevice.get(name), span, width, told));
    const about = fill(said.time_span, { start: moment(data.begin + span.from), duration: duration(span.length) });
    const left = shown.length - timed.length;
    return [
      make("p", "quiet", about, left ? ` ${count("untimed", left)}` : ""),
      make("div", "lanes", axisOf(span, width), ...lanes),
      told,
      ...(names.length > LANES ? [make("p", "more", count("more_devices", names.length - LANES))] : []),
    ];
  };
  return { draw };
};
