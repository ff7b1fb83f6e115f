"use strict";
// Hides the rows that don't have all words of the filter, and what then has no rows left.
(() => {
  const finder = document.getElementById("finder");
  const box = document.getElementById("filter");
  const found = document.getElementById("found");
  const textOf = (row) => `${row.textContent} ${row.dataset.row}`.toLowerCase();
  const rows = [...document.querySelectorAll("[data-row]")].map((row) => [row, textOf(row)]);
  const groups = [...document.querySelectorAll("[data-group]")].reverse();
  const folded = [...document.querySelectorAll("section > details, .places details")];
  const wereOpen = new Map(folded.map((one) => [one, one.open]));

  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    for (const group of groups) {
      group.hidden = words.length > 0 && !group.querySelector("[data-row]:not([hidden])");
    }
    for (const one of folded) {
      one.open = words.length > 0 || wereOpen.get(one);
    }
    found.value = words.length ? `${shown} of ${rows.length} rows` : "";
  };
  const search = (text) => {
    box.value = text;
    apply();
    box.focus();
  };

  for (const name of document.querySelectorAll("[data-filter]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...name.childNodes);
    button.addEventListener("click", () => search(name.dataset.filter));
    name.append(button);
  }
  // What scrolls can be reached with the keyboard.
  const reach = () => {
    for (const one of document.querySelectorAll(".scroll")) {
      const scrolls = one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight;
      scrolls ? one.setAttribute("tabindex", "0") : one.removeAttribute("tabindex");
    }
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box) {
      event.preventDefault();
      box.focus();
    } else if (event.key === "Escape" && document.activeElement === box) {
      search("");
    }
  });
  box.addEventListener("input", apply);
  addEventListener("resize", reach);
  finder.hidden = false;
  apply();
  reach();
})();
