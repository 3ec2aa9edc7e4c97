// The filter in the address, as in #findings?status=fail&rule=CMEK-05: it survives a reload, the
// back button restores the one before, and a link to it can be sent.
(() => {
  "use strict";
  const { bar, section } = findingsPage;
  if (!bar) return;

  const BEGIN = "#findings";
  const LONGEST = 2000;
  let isTyping = false;
  let waiting = 0;

  const read = (hash) =>
    new Map(
      [...new URLSearchParams(hash.slice(BEGIN.length + 1, LONGEST))]
        .map(([name, value]) => [name, value.trim()])
        .filter(([, value]) => value),
    );

  const write = () => {
    const words = new URLSearchParams([...findingsPage.choices()]).toString();
    return words ? `${BEGIN}?${words}` : BEGIN;
  };

  // A choice is a step back in the history; letters that are typed one after another are one step.
  const remember = (replace) => {
    const address = write();
    if (address === location.hash) return;
    if (replace) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  };

  const isInView = () => {
    const box = section.getBoundingClientRect();
    return box.top < innerHeight && box.bottom > 0;
  };

  // Whether the address is one of the filter; an anchor of the page is not.
  findingsPage.readAddress = () => {
    const { hash } = location;
    if (hash.startsWith(`${BEGIN}?`)) {
      findingsPage.choose(read(hash));
      if (!isInView()) section.scrollIntoView();
      return true;
    }
    if (hash === "" || hash === BEGIN) findingsPage.choose(new Map());
    return hash === "";
  };

  findingsPage.clear = () => findingsPage.choose(new Map());

  bar.addEventListener("input", (event) => {
    const isText = event.target.name === "q";
    clearTimeout(waiting);
    waiting = setTimeout(
      () => {
        findingsPage.filter();
        remember(isText && isTyping);
        isTyping = isText;
      },
      isText ? 120 : 0,
    );
  });
  bar.addEventListener("focusout", () => {
    isTyping = false;
  });
  bar.querySelector("[name=clear]").addEventListener("click", () => {
    findingsPage.clear();
    remember(false);
  });
})();
