"use strict";
// The panel with the details of one job. It is opened from a list, the failures say, and its
// buttons stay within that; closing it, by Back too, leads to where it was opened.
const panelOf = (data, asked, address) => {
  const { said, fill, number } = elements;
  const find = (id) => document.getElementById(id);
  const [dialog, content, previous, next, close, place] = [
    "dialog", "details", "previous", "next", "close", "place",
  ].map(find);
  const nowhere = { list: [], back: () => {} };
  let from = nowhere;
  let first = null; // the job that it was opened with

  const at = () => from.list.indexOf(asked.job);
  const draw = async () => {
    const index = asked.job;
    const about = await data.details(index);
    if (asked.job !== index) return;
    const here = at();
    details.show(content, data.job(index), about);
    previous.disabled = here <= 0;
    next.disabled = here < 0 || here === from.list.length - 1;
    place.textContent =
      here < 0 ? "" : fill(said.hit, { place: number(here + 1), count: number(from.list.length) });
    if (!dialog.open) dialog.showModal();
    if (document.activeElement?.disabled) close.focus();
    dialog.scrollTop = 0;
  };
  // Show a job. *origin* is the list that it is opened from, and what leads back to a job of it.
  const open = (index, origin, { push = true } = {}) => {
    const wasOpen = asked.job !== null && dialog.open;
    if (!wasOpen || origin) [from, first] = [origin ?? nowhere, index];
    asked.job = index;
    if (push) {
      if (!wasOpen) history.scrollRestoration = "manual"; // of where Back leads to: it is there
      address.write(asked, { push: !wasOpen, state: { panel: true } });
    }
    return draw();
  };
  const step = (by) => {
    asked.job = from.list[at() + by];
    address.write(asked);
    return draw();
  };
  const leave = () => {
    const index = asked.job;
    asked.job = null;
    if (dialog.open) dialog.close();
    details.clear(content);
    const { back } = from;
    from = nowhere;
    back(index, index !== first);
  };
  // Somebody who closes it is led back in the address, too; Back has done that already.
  dialog.addEventListener("close", () => {
    if (dialog.open || asked.job === null) return; // it may be open again by now
    leave();
    if (history.state?.panel) history.back();
    else address.write(asked);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  close.addEventListener("click", () => dialog.close());
  previous.addEventListener("click", () => step(-1));
  next.addEventListener("click", () => step(1));
  dialog.addEventListener("keydown", (event) => {
    const button = { ArrowLeft: previous, ArrowRight: next }[event.key];
    if (!button || event.altKey || event.ctrlKey || event.metaKey) return;
    if (!event.target.closest("input, pre, select")) button.click();
  });
  return { open, leave };
};
