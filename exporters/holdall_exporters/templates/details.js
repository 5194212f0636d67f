"use strict";
// The details of a job: what it is, and each attempt at it with its output and its files.
const details = (() => {
  const { said, fill, make, own, number, count, duration, moment, chip, marks } = elements;

  const facts = (pairs) => {
    const list = make("dl", "facts");
    for (const [name, value] of pairs) {
      if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", own(String(value)))));
    }
    return list;
  };
  const wordsOf = (name, text) => {
    const words = make("p", name, text);
    words.dir = "auto";
    return words;
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
      ...(attempt.words ?? []).map((words) => wordsOf("words", words)),
      ...parts.of(attempt),
    );
    if (attempt.log || attempt.at) part.append(make("h3", "", said.output));
    if (attempt.log) {
      const { parts: pieces, stop } = logs.logOf(attempt.log);
      part.append(...pieces);
      stops.push(stop);
    }
    if (attempt.at) part.append(make("p", "", parts.linkTo(attempt.at, said.log_file)));
    if (attempt.dropped) part.append(make("p", "cut-line", count("dropped", attempt.dropped)));
    part.append(...parts.filesOf(attempt));
    if (parts.isEmpty(attempt)) part.append(make("p", "quiet", attempt.code ? said.silent_code : said.silent));
    return part;
  };
  const contentOf = (job, about, stops) => {
    const attempts = about.attempts ?? [];
    const pieces = [
      chip(job.standing, marks(job)),
      make("h2", "", own(job.name)),
      make("p", "id", make("code", "", own(job.id))),
      facts([
        [said.category, job.category],
        [said.device, job.device],
        [said.kind, about.plugin],
        [said.certification, about.status],
        [said.origin, about.origin],
        [said.template, about.template],
      ]),
    ];
    if (about.description) pieces.push(wordsOf("words description", about.description));
    attempts.forEach((attempt, at) => {
      const standing = attempt.label ? [attempt.kind, attempt.label] : job.standing;
      const whole = attempt.label ? attempt : { ...attempt, duration: job.seconds };
      const heading = attempts.length > 1 ? fill(said.attempt, { number: number(at + 1) }) : "";
      pieces.push(attemptOf(whole, heading, standing, stops));
    });
    if (!attempts.length) pieces.push(make("p", "quiet", said.nothing));
    return pieces;
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
