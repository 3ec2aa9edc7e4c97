"use strict";
(() => {
  const root = document.documentElement;
  const bar = document.getElementById("filter");
  const controls = [...bar.querySelectorAll("select, input")];
  const status = bar.querySelector("[role=status]");
  const rows = [...document.querySelectorAll("[data-s]")];
  const groups = new Map([...document.querySelectorAll("[data-group]")].map((group) => [group, []]));
  const texts = new Map();

  for (const row of rows) groups.get(row.closest("[data-group]"))?.push(row);

  const textOf = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  const chosen = () =>
    controls.filter((control) => control.value).map((control) => [control.name, control.value]);

  const matches = (row, choices) =>
    choices.every(([name, value]) =>
      name === "q" ? textOf(row).includes(value.trim().toLowerCase()) : row.dataset[name] === value,
    );

  const count = (number) => number.toLocaleString("en");

  const showTally = (tally, shown, filtered) => {
    if (!tally) return;
    if (!texts.has(tally)) texts.set(tally, tally.textContent);
    tally.textContent = filtered ? `${count(shown)} of ${tally.dataset.of} findings` : texts.get(tally);
  };

  const show = (group, members, filtered) => {
    const shown = members.filter((row) => !row.hidden).length;
    const some = shown > 0;
    group.hidden = filtered && !some;
    showTally(group.querySelector(".tally"), shown, filtered);
    if (group.tagName === "DETAILS") group.open = filtered && some;
  };

  const filter = () => {
    const choices = chosen();
    let matching = 0;
    for (const row of rows) {
      row.hidden = !matches(row, choices);
      matching += !row.hidden;
    }
    root.classList.toggle("filtered", choices.length > 0);
    for (const [group, members] of groups) show(group, members, choices.length > 0);
    status.textContent = choices.length
      ? `${count(matching)} of ${count(rows.length)} findings on this page match.`
      : "";
  };

  const clear = () => {
    for (const control of controls) control.value = "";
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
    const element = target();
    if (!element) return;
    if (element.closest("[hidden]")) clear();
    for (let around = element; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") around.open = true;
    }
    element.scrollIntoView();
    if (element.tagName === "DETAILS") element.firstElementChild.focus({ preventScroll: true });
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

  // The style sheet opens details for printing; browsers without that selector need this instead.
  if (!CSS.supports("selector(::details-content)")) {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const details of closed) details.open = true;
    });
    addEventListener("afterprint", () => {
      for (const details of closed) details.open = false;
    });
  }

  root.classList.add("js");
  bar.hidden = false;
  reveal();
})();
