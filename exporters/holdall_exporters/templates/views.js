"use strict";
// The views of the jobs that the filter leaves, and the navigation between them.
const VIEWS = ["table", "matrix", "timeline", "slowest"];
const viewsOf = (table, drawers, { textOf, choose }) => {
  const { said, make } = elements;
  const nav = document.getElementById("views");
  const place = document.getElementById("view");
  const links = VIEWS.map((name) => {
    const link = make("a", "", said.views[name]);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      choose(name);
    });
    return { name, link };
  });
  nav.append(make("ul", "", ...links.map(({ link }) => make("li", "", link))));
  let drawn = null;
  const draw = () => place.replaceChildren(...drawers[drawn.view].draw(drawn.shown, place.clientWidth));
  const show = (asked, shown) => {
    for (const { name, link } of links) {
      link.href = textOf({ ...asked, view: name, job: null }) || "#results";
      if (name === asked.view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const isTable = asked.view === "table" || !shown.length;
    place.hidden = isTable;
    drawn = isTable ? null : { view: asked.view, shown };
    place.replaceChildren();
    table.hidden = !isTable || !shown.length;
    if (drawn) draw();
  };
  let width = innerWidth;
  addEventListener("resize", () => {
    if (drawn && width !== innerWidth) draw();
    width = innerWidth;
  });
  return { show };
};
