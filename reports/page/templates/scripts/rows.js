// The findings of the page as data, read from the page once, when somebody first filters them.
const findingsPage = (() => {
  "use strict";

  const section = document.getElementById("findings");
  const bar = document.getElementById("filter");

  // The fields of the filter, each with the data attribute in which a finding has its value.
  const FIELDS = {
    status: "s",
    severity: "v",
    rule: "r",
    organization: "o",
    type: "t",
    provider: "p",
    region: "g",
  };

  let rows = null;

  const read = (element) => ({
    element,
    data: element.dataset,
    batch: element.closest(".batch"),
    group: element.closest("[data-group]"),
    text: null,
  });

  // While the reader reads, what a search needs is made ready in short pieces.
  const prepare = (place = 0) => {
    if (!globalThis.requestIdleCallback) return;
    requestIdleCallback((idle) => {
      const all = findingsPage.rows();
      let next = place;
      while (next < all.length && idle.timeRemaining() > 1) findingsPage.text(all[next++]);
      if (next < all.length) prepare(next);
    });
  };

  return {
    section,
    bar,
    FIELDS,
    rows: () => (rows ??= [...section.querySelectorAll("[data-s]")].map(read)),
    text: (row) => (row.text ??= row.element.textContent.toLowerCase()),
    prepare,
    shown: () => findingsPage.rows().filter((row) => !row.element.hidden),
    // A status that a screen reader reads out, too.
    say: (words) => {
      section.querySelector(".said").textContent = words;
    },
  };
})();
