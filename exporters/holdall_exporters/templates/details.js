"use strict";
// The details of a job: what it is, and each attempt at it with its output and its files.
const details = (() => {
  const { said, fill, make, number, count, duration, moment, chip, marks } = elements;

  const facts = (pairs) => {
    const list = make("dl", "facts");
    for (const [name, value] of pairs) {
      if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", String(value))));
    }
    return list;
  };
  const size = (bytes) =>
    bytes < 1024 ? count("bytes", bytes) : fill(said.kib, { count: number(Math.round(bytes / 1024)) });
  // A file beside the page, where it stands in an archive.
  const linkTo = (path, ...children) => {
    const link = make("a", "", ...children);
    link.href = path;
    return link;
  };
  const fileOf = ({ name, type, size: bytes, text, at }) => {
    const about = [make("b", "", at ? linkTo(at, name) : name), ` ${type ?? ""}, ${size(bytes)}`];
    if (text === undefined) return make("li", "", ...about);
    return make("li", "", make("details", "", make("summary", "", ...about), make("pre", "", text)));
  };
  const attemptOf = (attempt, heading, standing, stops) => {
    const part = make("section", "attempt");
    if (heading) part.append(make("h3", "", heading, " ", chip(standing)));
    part.append(
      facts([
        [said.started, moment(attempt.started)],
        [said.duration, duration(attempt.duration)],
        [said.code, attempt.code],
      ]),
      ...(attempt.words ?? []).map((words) => make("p", "words", words)),
    );
    if (attempt.log || attempt.at) part.append(make("h3", "", said.output));
    if (attempt.log) {
      const { parts, stop } = logs.logOf(attempt.log);
      part.append(...parts);
      stops.push(stop);
    }
    if (attempt.at) part.append(make("p", "", linkTo(attempt.at, said.log_file)));
    if (attempt.dropped) part.append(make("p", "cut-line", count("dropped", attempt.dropped)));
    if (attempt.files) {
      part.append(make("h3", "", said.attachments), make("ul", "files", ...attempt.files.map(fileOf)));
    }
    return part;
  };
  const contentOf = (job, about, stops) => {
    const attempts = about.attempts ?? [];
    const parts = [
      chip(job.standing, marks(job)),
      make("h2", "", job.name),
      make("p", "id", make("code", "", job.id)),
      facts([
        [said.category, job.category],
        [said.device, job.device],
        [said.kind, about.plugin],
        [said.certification, about.status],
        [said.origin, about.origin],
        [said.template, about.template],
      ]),
    ];
    if (about.description) parts.push(make("p", "words description", about.description));
    attempts.forEach((attempt, at) => {
      const standing = attempt.label ? [attempt.kind, attempt.label] : job.standing;
      const whole = attempt.label ? attempt : { ...attempt, duration: job.seconds };
      const heading = attempts.length > 1 ? fill(said.attempt, { number: number(at + 1) }) : "";
      parts.push(attemptOf(whole, heading, standing, stops));
    });
    if (!attempts.length) parts.push(make("p", "quiet", said.nothing));
    return parts;
  };

  let stops = [];
  const clear = (place) => {
    for (const stop of stops) stop();
    stops = [];
    place.replaceChildren();
  };
  const show = (place, job, about) => {
    clear(place);
    place.append(...contentOf(job, about, stops));
  };
  return { show, clear };
})();
