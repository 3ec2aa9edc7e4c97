// Open all, close all: of the findings that the filter shows.
(() => {
  "use strict";
  const { bar, section } = findingsPage;
  if (!bar) return;

  const setAll = (open) => {
    const groups = [...section.querySelectorAll("details[data-group]:not([hidden])")];
    const rows = findingsPage.shown().map((row) => row.element);
    const all = [...groups, ...rows.filter((element) => element.tagName === "DETAILS")];
    for (const details of all) details.open = open;
  };

  bar.querySelector("[name=open]").addEventListener("click", () => setAll(true));
  bar.querySelector("[name=close]").addEventListener("click", () => setAll(false));
})();
