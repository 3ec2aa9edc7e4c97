// The style sheet opens details for printing; browsers without that selector need this instead.
(() => {
  "use strict";
  if (CSS.supports("selector(::details-content)")) return;

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
