// The list of leads: keys, ticks, and the three orders side by side.
"use strict";

(() => {
  const rows = () => [...document.querySelectorAll("#region [data-row]")];
  const here = () => rows().findIndex((row) => row.getAttribute("aria-selected") === "true");

  function select(index) {
    const all = rows();
    if (!all.length) return;
    const at = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((row, n) => {
      if (n === at) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    });
    all[at].querySelector("[data-lead]").focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  }

  function tick(row) {
    const box = row && row.querySelector("input[name=lead]");
    if (box) { box.checked = !box.checked; count(); }
  }

  function count() {
    const shown = document.querySelector("[data-ticked]");
    if (!shown) return;
    const ticked = document.querySelectorAll("input[name=lead]:checked").length;
    shown.textContent = ticked;
    shown.closest("form").classList.toggle("hidden", ticked === 0);
  }

  function follow(selector) {
    const link = document.querySelector(`#region ${selector}`);
    if (link) link.click();
  }

  const keys = {
    j: () => select(here() + 1),
    ArrowDown: () => select(here() + 1),
    k: () => select(here() - 1),
    ArrowUp: () => select(here() - 1),
    x: () => tick(rows()[here()]),
    n: () => follow("a[rel=next]"),
    p: () => follow("a[rel=prev]"),
    "/": () => document.getElementById("q").focus(),
    "?": () => document.getElementById("list-help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !document.getElementById("region")) return;
    if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog, summary")) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-all]")) {
      document.querySelectorAll("input[name=lead]").forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches("[data-tick-all], input[name=lead]")) count();
  });

  // What other forms of the page send along follows the part that was swapped.
  function follows() {
    const region = document.getElementById("region");
    if (!region) return;
    document.querySelectorAll("[data-query]").forEach((field) => { field.value = region.dataset.queryNow; });
    document.querySelectorAll("[data-order]").forEach((field) => { field.value = region.dataset.orderNow; });
    count();
  }
  document.addEventListener("htmx:afterSettle", follows);
  document.addEventListener("DOMContentLoaded", count);

  // A lead is shown in all columns that it stands in.
  function mark(event, on) {
    const item = event.target.closest && event.target.closest("[data-same]");
    if (!item) return;
    document.querySelectorAll(`[data-same="${item.dataset.same}"]`).forEach((one) => one.classList.toggle("same", on));
  }
  for (const [name, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(name, (event) => mark(event, on));
  }
})();
