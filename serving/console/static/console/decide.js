// Deciding on a lead: keys, and nothing lost when the connection or the session is.
"use strict";

(() => {
  const KEYS_OFF = "leadline keys off";
  const NOT_TYPED = /^(csrfmiddlewaretoken|author|proposal|seen.*)$/;
  const RETRY_AFTER = 8000; // milliseconds

  const panel = () => document.querySelector("[data-decide]");
  const form = () => document.querySelector("[data-decide-form]");
  const place = () => `leadline ${panel().dataset.decide}`;
  let pending = null; // the timer of the next attempt to send

  // -- what is typed ---------------------------------------------------------------
  function typed() {
    const fields = [...new FormData(form())];
    return Object.fromEntries(fields.filter(([name]) => !NOT_TYPED.test(name)));
  }

  function keep() {
    if (form()) sessionStorage.setItem(place(), JSON.stringify(typed()));
  }

  function forget() {
    if (panel()) sessionStorage.removeItem(place());
    clearTimeout(pending);
    pending = null;
  }

  function fill() {
    const kept = panel() && form() && sessionStorage.getItem(place());
    if (!kept) return;
    for (const [name, value] of Object.entries(JSON.parse(kept))) {
      for (const field of form().querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type !== "radio") field.value = field.value || value;
        else if (field.value === value) field.checked = true;
      }
    }
  }

  function showCause() {
    const cause = document.querySelector("[data-cause]");
    if (!cause) return;
    const chosen = form().querySelector("[name=verdict]:checked");
    const excluded = Boolean(chosen) && chosen.value === "excluded";
    cause.hidden = !excluded;
    cause.querySelector("select").required = excluded;
  }

  // -- a lost connection -----------------------------------------------------------
  function tell(why) {
    const line = form() && form().querySelector("[data-lost]");
    if (!line) return;
    line.textContent = line.dataset[why];
    line.hidden = false;
  }

  function again() {
    clearTimeout(pending);
    pending = null;
    // A verdict that arrived after all is recognised by the server: sent twice, kept once.
    if (form() && form().matches("[hx-post$='/decide/']")) form().requestSubmit();
  }

  function lost(event) {
    if (!form()) return;
    keep();
    if (event.detail.elt !== form()) return;
    tell("offline");
    clearTimeout(pending);
    pending = setTimeout(again, RETRY_AFTER);
  }

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    if (!form() || event.detail.elt !== form()) return;
    keep();
    tell("refused");
  });
  window.addEventListener("online", () => {
    if (pending !== null) again();
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "decide") return;
    const answered = !document.querySelector("#decide .error, #decide .conflict");
    if (answered) forget();
    showCause();
    const first = document.querySelector("#decide [data-focus-first]");
    (first || document.querySelector("#decide [data-focus]")).focus();
  });

  document.addEventListener("change", (event) => {
    if (event.target.name === "verdict") showCause();
    if (event.target.matches("[data-keys-on]")) {
      if (event.target.checked) localStorage.removeItem(KEYS_OFF);
      else localStorage.setItem(KEYS_OFF, "1");
    }
  });
  document.addEventListener("input", (event) => {
    if (event.target.closest("[data-decide-form]")) keep();
  });

  // -- keys ------------------------------------------------------------------------
  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
  };
  const focus = (name) => {
    const field = form() && form().elements[name];
    if (field) field.focus();
  };

  function help() {
    const dialog = document.getElementById("keys");
    if (!dialog || dialog.open) return;
    dialog.querySelector("[data-keys-on]").checked = !localStorage.getItem(KEYS_OFF);
    dialog.showModal();
  }

  function choose(number) {
    const choices = form() ? form().querySelectorAll("[name=verdict]") : [];
    const choice = choices[number - 1];
    if (!choice || choice.disabled) return;
    choice.checked = true;
    choice.focus();
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  }

  const KEYS = {
    n: () => follow(document.querySelector("[data-open-next]") ? "[data-open-next]" : "[data-lead-step=next]"),
    p: () => follow("[data-lead-step=previous]"),
    c: () => focus("cause"),
    e: () => focus("reason"),
    "?": help,
  };

  function inField(target) {
    if (target.isContentEditable || target.matches("select, textarea")) return true;
    return target.matches("input") && !["radio", "checkbox", "button", "submit"].includes(target.type);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      // A second person's answer is given by its own button: agreeing is no slip.
      const send = form() && form().querySelector("[aria-keyshortcuts='Control+Enter']");
      if (send && form().contains(event.target)) {
        event.preventDefault();
        form().requestSubmit(send);
      }
      return;
    }
    if (event.key === "Enter" && event.target.matches("input[name^=note-]")) {
      event.preventDefault(); // would send the form of the whole group
      return;
    }
    if (event.key === "Escape" && inField(event.target)) {
      event.target.blur();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (inField(event.target) || document.querySelector("dialog[open]")) return;
    if (localStorage.getItem(KEYS_OFF) && event.key !== "?") return;
    if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key]();
    } else if (/^[1-5]$/.test(event.key) && form()) {
      event.preventDefault();
      choose(Number(event.key));
    }
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys-help]")) help();
  });

  function forgetOthers() {
    if (!panel()) return;
    const own = place().replace(/(lead|group) \d+$/, "");
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith("leadline ") && !key.startsWith(own)) sessionStorage.removeItem(key);
    }
  }

  // A page that was left with something unsent comes back with it, to the same person.
  forgetOthers();
  fill();
  showCause();
})();
