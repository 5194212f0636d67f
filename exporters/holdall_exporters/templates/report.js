"use strict";
(() => {
  const filter = document.querySelector(".filter");
  const search = filter.querySelector("input");
  const buttons = [...filter.querySelectorAll("button")];
  const found = filter.querySelector("output");
  const groups = [...document.querySelectorAll(".group")].map((group) => ({
    group,
    rows: [...group.querySelectorAll("tbody tr")].map((row) => ({
      row,
      kind: row.className,
      text: row.textContent.toLowerCase(),
    })),
  }));
  const total = groups.reduce((sum, each) => sum + each.rows.length, 0);
  let kind = "";

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { group, rows } of groups) {
      let some = false;
      for (const each of rows) {
        const fits =
          (!kind || kind.split(" ").includes(each.kind)) &&
          words.every((word) => each.text.includes(word));
        each.row.hidden = !fits;
        if (fits) {
          some = true;
          shown += 1;
        }
      }
      group.hidden = !some;
    }
    found.value = shown === total ? `${total} jobs` : `${shown} of ${total} jobs`;
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      kind = button.dataset.kind;
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      show();
    });
  }
  search.addEventListener("input", show);
  filter.hidden = total === 0;
  show();
})();
