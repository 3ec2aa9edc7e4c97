// A link inside the page opens what it leads to, and clears a filter that hides it.
(() => {
  "use strict";

  const target = () => {
    try {
      return document.getElementById(decodeURIComponent(location.hash.slice(1)));
    } catch {
      return null;
    }
  };

  const reveal = () => {
    if (findingsPage.readAddress?.()) return;
    const element = target();
    if (!element) return;
    if (element.closest("[hidden]")) findingsPage.clear?.();
    for (let around = element; around; around = around.parentElement) {
      if (around.tagName === "DETAILS") around.open = true;
    }
    element.scrollIntoView();
    if (element.tagName === "DETAILS") element.firstElementChild.focus({ preventScroll: true });
  };

  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link && link.hash === location.hash) setTimeout(reveal);
  });
  reveal();
})();
