"use strict";
(() => {
  const root = document.documentElement;
  const bar = document.getElementById("filter");
  const controls = [...bar.querySelectorAll("select, input")];
  const said = bar.querySelector("[role=status]");
  const rows = [...document.querySelectorAll("[data-s]")];
  const groups = new Map([...document.querySelectorAll("[data-group]")].map((each) => [each, []]));
  const texts = new Map();

  for (const row of rows) groups.get(row.closest("[data-group]"))?.push(row);

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const wanted = () => controls.filter((each) => each.value).map((each) => [each.name, each.value]);

  const matches = (row, wishes) =>
    wishes.every(([name, value]) =>
      name === "q" ? textOf(row).includes(value.trim().toLowerCase()) : row.dataset[name] === value,
    );

  const count = (number) => number.toLocaleString("en");

  const tell = (tally, shown, filtered) => {
    if (!tally) return;
    if (!texts.has(tally)) texts.set(tally, tally.textContent);
    tally.textContent = filtered ? `${count(shown)} of ${tally.dataset.of} findings` : texts.get(tally);
  };

  const show = (group, members, filtered) => {
    const shown = members.filter((row) => !row.hidden).length;
    const some = shown > 0;
    group.hidden = filtered && !some;
    tell(group.querySelector(".tally"), shown, filtered);
    if (group.tagName === "DETAILS") group.open = filtered && some;
  };

  const filter = () => {
    const wishes = wanted();
    let found = 0;
    for (const row of rows) {
      row.hidden = !matches(row, wishes);
      found += !row.hidden;
    }
    root.classList.toggle("filtered", wishes.length > 0);
    for (const [group, members] of groups) show(group, members, wishes.length > 0);
    said.textContent = wishes.length
      ? `${count(found)} of ${count(rows.length)} findings on this page match.`
      : "";
  };

  const clear = () => {
    for (const each of controls) each.value = "";
    filter();
  };

  const target = () => {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return null;
    }
  };

  const reveal = () => {
    const found = target();
    if (!found) return;
    if (found.closest("[hidden]")) clear();
    for (let each = found; each; each = each.parentElement) {
      if (each.tagName === "DETAILS") each.open = true;
    }
    found.scrollIntoView();
    if (found.tagName === "DETAILS") found.firstElementChild.focus({ preventScroll: true });
  };

  let waiting = 0;
  bar.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  bar.querySelector("button").addEventListener("click", clear);
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(reveal);
  });

  // Browsers that cannot open details by style are helped when they print.
  if (!CSS.supports("selector(::details-content)")) {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const each of closed) each.open = true;
    });
    addEventListener("afterprint", () => {
      for (const each of closed) each.open = false;
    });
  }

  root.classList.add("js");
  bar.hidden = false;
  reveal();
})();
