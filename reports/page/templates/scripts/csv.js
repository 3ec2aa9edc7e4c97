// The findings that are shown, as a table for a spreadsheet (RFC 4180).
(() => {
  "use strict";
  const { bar } = findingsPage;
  if (!bar) return;

  const words = (row, selector) => {
    const element = row.element.querySelector(selector);
    return element ? element.textContent.trim() : "";
  };

  const field = (name) => (row) => words(row, `[data-f=${name}]`);
  const value = (name) => (row) => row.data[name] ?? "";

  const titles = new Map();
  const ruleTitle = (row) => {
    const rule = row.data.r;
    if (!titles.has(rule)) {
      titles.set(rule, document.querySelector(`[id="r-${rule}"] strong`)?.textContent ?? "");
    }
    return titles.get(rule);
  };

  // A place with its address in brackets; a copy button beside them is no part of it.
  const place = (element) => {
    const [where, address] = [...element.querySelectorAll("code")].map((code) => code.textContent);
    if (where === undefined) return element.textContent.trim();
    return address === undefined ? where : `${where} (${address})`;
  };

  const evidence = (row) =>
    [...row.element.querySelectorAll(".at, .at ~ .more, li.more")].map(place).join("; ");

  const COLUMNS = [
    ["status", value("s")],
    ["severity", value("v")],
    ["rule", value("r")],
    ["rule title", ruleTitle],
    ["organization", (row) => words(row, ".org")],
    ["subject", (row) => words(row, "strong")],
    ["type", value("t")],
    ["provider", value("p")],
    ["region", value("g")],
    ["database", value("d")],
    ["key", value("k")],
    ["message", field("message")],
    ["action", field("action")],
    ["cause", field("cause")],
    ["reason", field("reason")],
    ["first seen", (row) => row.element.querySelector("time")?.dateTime ?? ""],
    ["id", (row) => row.element.id.slice(2)],
    ["evidence", evidence],
  ];

  // A spreadsheet would run a cell that begins like a formula: an apostrophe makes it text.
  const cell = (text) => {
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const table = (rows) =>
    [
      COLUMNS.map(([title]) => title),
      ...rows.map((row) => COLUMNS.map(([, read]) => read(row))),
    ]
      .map((cells) => `${cells.map(cell).join(",")}\r\n`)
      .join("");

  const download = (text, file) => {
    // The mark at the start makes spreadsheets read it as UTF-8.
    const address = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  };

  const button = bar.querySelector("[name=csv]");
  button.addEventListener("click", () => {
    const rows = findingsPage.shown();
    download(table(rows), button.dataset.file);
    findingsPage.say(`${rows.length.toLocaleString("en")} findings are in ${button.dataset.file}.`);
  });
})();
