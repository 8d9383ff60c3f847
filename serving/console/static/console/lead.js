// The lead page: printing it whole, and where one stands after fields were opened.
"use strict";
(() => {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // What is folded away on the screen is printed.
  let unfolded = [];
  window.addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll(".lead-page details:not([open])")];
    for (const fold of unfolded) fold.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const fold of unfolded) fold.open = false;
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const rows = event.target.closest && event.target.closest("#rows");
    const first = rows && rows.querySelector("[data-first], [aria-invalid=true]");
    if (first) first.focus();
  });
})();
