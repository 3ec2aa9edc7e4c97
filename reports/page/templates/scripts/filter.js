// The filter: which findings match what is chosen, and how many of them there are.
(() => {
  "use strict";
  const { bar, section, FIELDS } = findingsPage;
  if (!bar) return;

  // In these fields a value may be several, with commas between.
  const SEVERAL = new Set(["status", "severity", "rule"]);
  const LONGEST = 80;
  const controls = [...bar.querySelectorAll("select, input")];
  const status = bar.querySelector(".matching");
  const tallies = new Map();
  const count = (number) => number.toLocaleString("en");

  const rulesOf = (framework) =>
    [...(bar.querySelector("[name=framework]")?.options ?? [])]
      .find((option) => option.value === framework)
      ?.dataset.rules?.split(" ") ?? [];

  // A test for each field that is chosen: each takes a row, and says whether it matches.
  const testOf = ([name, value]) => {
    if (name === "q") {
      const wanted = value.trim().toLowerCase();
      return (row) => findingsPage.text(row).includes(wanted);
    }
    if (name === "framework") {
      const rules = new Set(rulesOf(value));
      return (row) => rules.has(row.data.r);
    }
    const wanted = new Set(SEVERAL.has(name) ? value.split(",") : [value]);
    return (row) => wanted.has(row.data[FIELDS[name]]);
  };

  const showTally = (group, shown, filtered) => {
    const tally = group.querySelector(".tally");
    if (!tally) return;
    if (!tallies.has(tally)) tallies.set(tally, tally.textContent);
    tally.textContent = filtered
      ? `${count(shown)} of ${tally.dataset.of} findings`
      : tallies.get(tally);
  };

  const showGroup = (group, shown, filtered) => {
    group.hidden = filtered && shown === 0;
    showTally(group, shown, filtered);
    if (group.tagName === "DETAILS") group.open = filtered && shown > 0;
  };

  const showCount = (matching, total, filtered) => {
    status.textContent = filtered
      ? `${count(matching)} of ${count(total)} findings on this page match.`
      : `${count(total)} findings on this page.`;
  };

  // A batch is laid out only near the window, and is as high as the findings that it shows.
  const showBatch = (batch, shown) => {
    batch.hidden = shown === 0;
    batch.style.setProperty("--rows", shown);
  };

  const zeros = (selector) =>
    new Map([...section.querySelectorAll(selector)].map((element) => [element, 0]));

  const increase = (counts, element) => {
    if (element) counts.set(element, counts.get(element) + 1);
  };

  const apply = () => {
    const chosen = [...findingsPage.choices()];
    const tests = chosen.map(testOf);
    const filtered = tests.length > 0;
    const groups = zeros("[data-group]");
    const batches = zeros(".batch");
    const rows = findingsPage.rows();
    let matching = 0;
    for (const row of rows) {
      const matches = tests.every((test) => test(row));
      if (row.element.hidden === matches) row.element.hidden = !matches;
      if (!matches) continue;
      matching += 1;
      increase(groups, row.group);
      increase(batches, row.batch);
    }
    section.classList.toggle("filtered", filtered);
    for (const [batch, shown] of batches) showBatch(batch, shown);
    for (const [group, shown] of groups) showGroup(group, shown, filtered);
    showCount(matching, rows.length, filtered);
  };

  // What is chosen by hand, a value for each name.
  findingsPage.choices = () =>
    new Map(
      controls
        .filter((control) => control.value.trim())
        .map((control) => [control.name, control.value.trim()]),
    );

  // A value that an address names and the page does not offer is shown as it is: nothing matches it.
  const choose = (control, value) => {
    control.value = value;
    if (control.value === value || control.tagName !== "SELECT") return;
    const short = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
    control.add(new Option(short, value));
    control.value = value;
  };

  const isChosen = (values) => {
    const now = findingsPage.choices();
    return now.size === values.size && [...values].every(([name, value]) => now.get(name) === value);
  };

  // Choose these values and no others; names that are no field are ignored.
  findingsPage.choose = (values) => {
    const known = new Map(
      [...values].filter(([name]) => controls.some((control) => control.name === name)),
    );
    if (isChosen(known)) return;
    for (const control of controls) choose(control, known.get(control.name) ?? "");
    apply();
  };

  findingsPage.filter = apply;
  bar.hidden = false;
  document.documentElement.classList.add("js");
  findingsPage.prepare();
  showCount(0, section.querySelectorAll("[data-s]").length, false);
})();
