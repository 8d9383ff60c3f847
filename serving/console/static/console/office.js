// Doubtful links by keyboard: j and k walk, s, d and u choose, Enter in the note records.
"use strict";
(() => {
  const cards = () => [...document.querySelectorAll("[data-doubt]")];
  const verdicts = { s: "same", d: "different", u: "unsure" };

  function walk(step) {
    const all = cards();
    const at = all.indexOf(document.activeElement.closest("[data-doubt]"));
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + step, 0), all.length - 1)];
    if (next) {
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
  }

  function choose(verdict) {
    const card = document.activeElement.closest("[data-doubt]") || cards()[0];
    const choice = card && card.querySelector(`[data-judge] input[value="${verdict}"]`);
    if (choice) {
      choice.checked = true;
      card.querySelector("[data-judge] input[name=note]").focus();
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !cards().length) return;
    const typing = event.target.matches("input[type=text], textarea, select");
    if (typing) {
      if (event.key === "Escape") event.target.closest("[data-doubt]")?.focus();
      return;
    }
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
    else if (verdicts[event.key]) choose(verdicts[event.key]);
    else return;
    event.preventDefault();
  });

  // After an answer go on with the next link that nobody judged.
  document.addEventListener("htmx:afterSettle", () => {
    const fresh = document.querySelector("[data-doubt][data-fresh]");
    if (!fresh) return;
    fresh.removeAttribute("data-fresh");
    const all = cards();
    const later = all.slice(all.indexOf(fresh) + 1);
    const next = later.find((card) => !card.hasAttribute("data-judged"));
    (fresh.hasAttribute("data-judged") && next ? next : fresh).focus();
  });
})();
