"use strict";
// The controls of the filter: a chip for each outcome that occurs, lists to choose from, words.
const controlsOf = (data, asked, { names, hasFlaky, change, reset }) => {
  const { said, fill, make, number, count } = elements;
  const find = (id) => document.getElementById(id);
  const words = find("words");
  const found = find("found");
  const nothing = find("nothing");

  const chipOf = (kind, label, flip) => {
    const counted = make("span", "");
    const element = make("button", `chip-button ${kind}`, parts.mark(kind), ` ${label} `, counted);
    element.type = "button";
    element.addEventListener("click", () => {
      flip();
      change();
    });
    return { element, counted };
  };
  const outcomes = data.outcomes.map(([id, kind, label]) =>
    chipOf(kind, label, () => asked.outcome.delete(id) || asked.outcome.add(id)),
  );
  const flaky = chipOf("flaky", said.flaky, () => (asked.flaky = !asked.flaky));
  find("chips").append(...outcomes.map((chip) => chip.element), ...(hasFlaky ? [flaky.element] : []));
  const update = (chip, value, isOn) => {
    chip.counted.textContent = number(value);
    chip.element.setAttribute("aria-pressed", isOn);
    chip.element.classList.toggle("none", value === 0);
  };

  // Lists of names in natural order; the first entry of each is none of them.
  const choices = ["category", "device", "status"].map((name) => {
    const select = find(name);
    const wordFor = (each) => each || said.no_status;
    const options = naturally(names[name]).map((each) => {
      const at = names[name].indexOf(each);
      return { each, at, option: new Option(wordFor(each), at) };
    });
    select.append(...options.map(({ option }) => option));
    select.hidden = options.length < 2;
    select.addEventListener("change", () => {
      asked[name] = select.value === "" ? null : names[name][Number(select.value)];
      change();
    });
    const draw = (counts) => {
      for (const { each, at, option } of options) {
        option.textContent = fill(said.choice, { name: wordFor(each), count: number(counts[at]) });
      }
      select.value = asked[name] === null ? "" : names[name].indexOf(asked[name]);
    };
    return { name, draw };
  });

  words.addEventListener("input", () => {
    asked.q = words.value;
    change();
  });
  for (const id of ["reset", "reset-nothing"]) {
    find(id).addEventListener("click", () => {
      reset();
      words.focus({ preventScroll: true });
    });
  }
  const show = ({ shown, counts }) => {
    if (words.value !== asked.q) words.value = asked.q;
    outcomes.forEach((chip, at) => update(chip, counts.outcome[at], asked.outcome.has(data.outcomes[at][0])));
    update(flaky, counts.flaky, asked.flaky);
    for (const { name, draw } of choices) draw(counts[name]);
    found.value =
      shown.length === data.size
        ? count("jobs", data.size)
        : count("found", data.size, { shown: number(shown.length) });
    nothing.hidden = shown.length > 0;
  };
  return { show };
};
