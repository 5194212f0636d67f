"use strict";
// The jobs that took longest, and their share of the time of all.
const slowestOf = (data, { open }) => {
  const { said, fill, make, count, chip, own, marks, duration } = elements;
  const MOST = 50;
  const slowest = (timed) => {
    const top = [];
    for (const index of timed) {
      const seconds = data.seconds[index];
      if (top.length === MOST && seconds <= data.seconds[top[MOST - 1]]) continue;
      const at = top.findIndex((other) => data.seconds[other] < seconds);
      top.splice(at < 0 ? top.length : at, 0, index);
      top.length = Math.min(top.length, MOST);
    }
    return top;
  };
  const draw = (shown) => {
    const timed = shown.filter((index) => data.seconds[index] > 0);
    if (!timed.length) return [make("p", "quiet", said.no_durations)];
    const total = timed.reduce((sum, index) => sum + data.seconds[index], 0);
    const jobs = slowest(timed);
    const theirs = jobs.reduce((sum, index) => sum + data.seconds[index], 0);
    const list = make("ol", "slowest");
    const lineOf = (index) => {
      const job = data.job(index);
      const button = make("button", "name", own(job.name));
      button.type = "button";
      button.setAttribute("aria-haspopup", "dialog");
      const about = [job.category, ...(data.devices.length > 1 ? [job.device] : [])];
      const bar = make("span", `bar ${job.standing[0]}`, make("span", job.standing[0]));
      bar.firstChild.style.width = `${(100 * job.seconds) / data.seconds[jobs[0]]}%`;
      button.addEventListener("click", () => open(index, jobs, back));
      const what = make("span", "what", button, make("span", "sub", make("code", "", own(job.id)), ...about.flatMap((each) => [" · ", own(each)])));
      return make("li", "", what, chip(job.standing, marks(job)), make("span", "time", duration(job.seconds)), bar);
    };
    const back = (index) => list.children[jobs.indexOf(index)]?.querySelector("button").focus();
    list.append(...jobs.map(lineOf));
    const share = fill(said.percent, { number: Math.round((100 * theirs) / total) });
    const about = make("p", "quiet", count("slowest", jobs.length, { share, total: duration(total) }));
    return jobs.length < timed.length ? [about, list] : [list];
  };
  return { draw };
};
