// Copy buttons beside ids, subjects and places of a finding, made when the finding is opened.
(() => {
  "use strict";
  const { section } = findingsPage;
  if (!section) return;

  const select = (code) => getSelection().selectAllChildren(code);

  const copy = async (code) => {
    const text = code.textContent;
    try {
      await navigator.clipboard.writeText(text);
      findingsPage.say(`Copied: ${text}`);
    } catch {
      // There is no clipboard, or no leave to use it: the reader can copy what is selected.
      select(code);
      findingsPage.say("Selected. Press Ctrl+C or ⌘C to copy.");
    }
  };

  const addButton = (code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${code.textContent.slice(0, 100)}`);
    (code.closest("a") ?? code).after(button);
  };

  // What is cut or has its characters named is not what the record holds, so it is not offered.
  const isWhole = (code) => !code.querySelector(".cut, .code-point");

  section.addEventListener(
    "toggle",
    ({ target }) => {
      if (!target.open || !target.matches(".f") || target.querySelector(".copy")) return;
      [...target.querySelectorAll(".at code, .c")].filter(isWhole).forEach(addButton);
    },
    true,
  );
  section.addEventListener("click", ({ target }) => {
    if (!target.matches(".copy")) return;
    const before = target.previousElementSibling;
    copy(before.querySelector("code") ?? before);
  });
})();
