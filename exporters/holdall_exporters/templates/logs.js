"use strict";
// A log: all of its text is in the page at once, its colours only where they can be seen. So it
// can be searched, selected and copied as a whole, and a log that changes colour at every
// character is no more elements than any other.
const logs = (() => {
  const { make, said, fill, number } = elements;
  const RUNS = 256; // of a piece that is coloured as a whole
  const LENGTH = 1 << 14; // characters of one
  const FEW = 12; // lines that can be seen without tools
  const HITS = 10_000; // marked at most
  const wraps = { on: true }; // as it was last asked for

  // Pieces of a log: its runs, and where its text begins in that of the whole.
  const piecesOf = (runs) => {
    const pieces = [];
    let piece = null;
    let at = 0;
    for (const run of runs) {
      const length = typeof run === "string" ? run.length : run[1].length;
      if (!piece || piece.runs.length >= RUNS || at - piece.at + length > LENGTH) {
        piece = { at, runs: [], element: make("span", "") };
        pieces.push(piece);
      }
      piece.runs.push(run);
      at += length;
    }
    for (const each of pieces) {
      each.text = each.runs.map((run) => (typeof run === "string" ? run : run[1])).join("");
      each.isPlain = each.runs.every((run) => typeof run === "string");
      each.element.textContent = each.text;
    }
    return pieces;
  };
  const paint = (piece) =>
    piece.element.replaceChildren(
      ...piece.runs.map((run) => (typeof run === "string" ? run : make("span", run[0], run[1]))),
    );
  const wash = (piece) => (piece.element.textContent = piece.text);

  // The range of some characters of a piece, in whatever nodes they are.
  const rangeIn = (piece, from, to) => {
    const range = document.createRange();
    const walker = document.createTreeWalker(piece.element, NodeFilter.SHOW_TEXT);
    let at = piece.at;
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const end = at + node.length;
      if (from >= at && from < end) range.setStart(node, from - at);
      if (to > at && to <= end) {
        range.setEnd(node, to - at);
        return range;
      }
      at = end;
    }
    return range;
  };

  // Marks of what was found: ranges, which change no element; where a browser has none, what
  // was found is selected.
  const canMark = typeof Highlight === "function" && Boolean(CSS.highlights);
  const highlights = canMark ? { found: new Highlight(), here: new Highlight() } : {};
  for (const [name, highlight] of Object.entries(highlights)) CSS.highlights.set(name, highlight);
  if (canMark) {
    const colours = new CSSStyleSheet(); // checkers of the page's own sheet don't know them yet
    colours.replaceSync(
      "::highlight(found) { background-color: var(--found); } " +
        "::highlight(here) { background-color: var(--here); color: #000000; }",
    );
    document.adoptedStyleSheets.push(colours);
  }

  const searchOf = (text, pieces, drawn) => {
    let hits = [];
    let length = 0;
    let here = -1;
    let marked = [];
    const pieceAt = (at) => pieces.findLast((piece) => piece.at <= at);
    const rangesOf = (at) => {
      const ranges = [];
      for (let from = at; from < at + length; ) {
        const piece = pieceAt(from);
        const to = Math.min(at + length, piece.at + piece.text.length);
        ranges.push(rangeIn(piece, from, to));
        from = to;
      }
      return ranges;
    };
    const clear = () => {
      for (const [name, range] of marked) highlights[name].delete(range);
      marked = [];
    };
    const mark = () => {
      if (!canMark) return;
      clear();
      for (const [at, hit] of hits.entries()) {
        if (at !== here && !drawn.has(pieceAt(hit))) continue;
        const name = at === here ? "here" : "found";
        marked.push(...rangesOf(hit).map((range) => [name, range]));
      }
      for (const [name, range] of marked) highlights[name].add(range);
    };
    const go = (to) => {
      here = hits.length ? (to + hits.length) % hits.length : -1;
      mark();
      if (here < 0) return;
      const [range] = rangesOf(hits[here]);
      if (!canMark) getSelection().setBaseAndExtent(range.startContainer, range.startOffset, range.endContainer, range.endOffset);
      return range;
    };
    const find = (words) => {
      const sought = words.toLowerCase();
      const folded = text.toLowerCase();
      // Where lower case is longer than what it is of, places would not be those of the text.
      const within = folded.length === text.length ? folded : text;
      hits = [];
      length = words.length;
      for (let at = sought ? within.indexOf(sought) : -1; at >= 0 && hits.length < HITS; ) {
        hits.push(at);
        at = within.indexOf(sought, at + length);
      }
      return go(0);
    };
    const status = () =>
      !length ? "" : hits.length ? fill(said.hit, { place: number(here + 1), count: number(hits.length) }) : said.no_hit;
    return { find, mark, clear, status, next: () => go(here + 1), previous: () => go(here - 1) };
  };

  const copy = async (text, element) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No clipboard without https, or none in a frame: the old way copies what is selected.
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  };
  const button = (label, act) => {
    const element = make("button", "", label);
    element.type = "button";
    element.addEventListener("click", act);
    return element;
  };
  const toggle = (label, isOn, act) => {
    const element = button(label, () => {
      const on = element.getAttribute("aria-pressed") !== "true";
      element.setAttribute("aria-pressed", on);
      act(on);
    });
    element.setAttribute("aria-pressed", isOn);
    return element;
  };

  const scrollTo = (log, range) => {
    const [box, frame] = [range.getBoundingClientRect(), log.getBoundingClientRect()];
    log.scrollTop += box.top - frame.top - frame.height / 3;
    log.scrollLeft += box.left < frame.left || box.right > frame.right ? box.left - frame.left - 40 : 0;
    if (log.classList.contains("whole")) {
      const panel = log.closest("dialog");
      panel.scrollTop += range.getBoundingClientRect().top - innerHeight / 3;
    }
  };
  const toolsOf = (log, text, pieces, drawn) => {
    const told = make("output", "");
    const tools = make("div", "log-tools");
    tools.setAttribute("role", "group");
    tools.setAttribute("aria-label", said.log_tools);
    log.classList.toggle("unwrapped", !wraps.on);
    const copied = button(said.copy, async () => {
      told.value = (await copy(text, log)) ? said.copied : said.not_copied;
    });
    const wrapped = toggle(said.wrap, wraps.on, (on) => {
      wraps.on = on;
      log.classList.toggle("unwrapped", !on);
    });
    if (text.split("\n", FEW + 1).length <= FEW && text.length < 2000) {
      tools.append(copied, wrapped, told);
      return { tools, mark: () => {}, clear: () => {} };
    }
    const search = searchOf(text, pieces, drawn);
    const input = make("input", "");
    Object.assign(input, { type: "search", placeholder: said.search_log, autocomplete: "off", spellcheck: false });
    input.setAttribute("aria-label", said.search_log);
    const seek = (range) => {
      told.value = search.status();
      if (range) scrollTo(log, range);
    };
    input.addEventListener("input", () => seek(search.find(input.value)));
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") seek(event.shiftKey ? search.previous() : search.next());
      if (event.key === "Escape" && input.value) {
        event.preventDefault(); // it empties the search before it closes the panel
        input.value = "";
        seek(search.find(""));
      }
    });
    const expand = toggle(said.expand, false, (on) => log.classList.toggle("whole", on));
    const end = button(said.to_end, () => {
      log.scrollTop = log.scrollHeight;
      if (log.classList.contains("whole")) log.scrollIntoView({ block: "end" });
    });
    tools.append(input, copied, wrapped, expand, end, told);
    return { tools, mark: search.mark, clear: search.clear };
  };

  // Return the elements of a log; `stop` ends what watches it.
  const logOf = (runs) => {
    const log = make("pre", "");
    log.tabIndex = 0;
    log.dir = "auto";
    log.setAttribute("role", "group");
    log.setAttribute("aria-label", said.output);
    const pieces = piecesOf(runs);
    log.append(...pieces.map((piece) => piece.element));
    const text = pieces.map((piece) => piece.text).join("");
    const drawn = new Set(pieces.filter((piece) => piece.isPlain));
    const { tools, mark, clear } = toolsOf(log, text, pieces, drawn);
    const of = new Map(pieces.map((piece) => [piece.element, piece]));
    const watch = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          const piece = of.get(target);
          if (isIntersecting === drawn.has(piece)) continue;
          if (!isIntersecting && getSelection().containsNode(target, true)) continue; // it would be lost
          (isIntersecting ? paint : wash)(piece);
          drawn[isIntersecting ? "add" : "delete"](piece);
        }
        mark();
      },
      { rootMargin: "300px" },
    );
    for (const piece of pieces) if (!piece.isPlain) watch.observe(piece.element);
    const stop = () => {
      watch.disconnect();
      clear();
    };
    return { parts: [tools, log], stop };
  };
  return { logOf };
})();
