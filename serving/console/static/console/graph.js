// Pictures of links: moved and enlarged by their viewBox, opened node by node.
"use strict";
(() => {
  const STEP = 0.15;
  const ZOOM = 1.25;
  const KEYS = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down", 0: "whole" };

  const numbers = (text) => text.split(" ").map(Number);
  const show = (svg, box) => svg.setAttribute("viewBox", box.map((n) => n.toFixed(1)).join(" "));

  function zoomed([x, y, width, height], by, svg, around) {
    const whole = numbers(svg.dataset.box);
    const to = Math.min(Math.max(width / by, whole[2] / 8), whole[2] * 2);
    const scale = to / width;
    const [px, py] = around || [x + width / 2, y + height / 2];
    return [px - (px - x) * scale, py - (py - y) * scale, width * scale, height * scale];
  }

  function change(svg, what) {
    const [x, y, width, height] = numbers(svg.getAttribute("viewBox"));
    const moves = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
    if (what === "whole") show(svg, numbers(svg.dataset.box));
    else if (what === "in") show(svg, zoomed([x, y, width, height], ZOOM, svg));
    else if (what === "out") show(svg, zoomed([x, y, width, height], 1 / ZOOM, svg));
    else show(svg, [x + moves[what][0] * width * STEP, y + moves[what][1] * height * STEP, width, height]);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-graph-do]");
    if (button) {
      change(button.closest("[data-graph]").querySelector("svg.graph"), button.dataset.graphDo);
      return;
    }
    const link = event.target.closest("a[data-graph-toggle]");
    const region = link && link.closest("#graph");
    if (!region || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const key = link.dataset.key;
    window.htmx.ajax("GET", link.getAttribute("href"), { target: region, swap: "outerHTML" }).then(() => {
      const again = document.querySelector(`#graph a[data-key="${CSS.escape(key)}"]`);
      if (again) again.focus({ preventScroll: true });
      const status = document.getElementById("graph-status");
      const picture = document.querySelector("#graph svg.graph");
      if (status && picture) status.textContent = picture.getAttribute("aria-label");
    });
  });

  document.addEventListener("keydown", (event) => {
    const svg = event.target.closest && event.target.closest("svg.graph");
    const what = KEYS[event.key];
    if (!svg || !what || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    change(svg, what);
  });

  // A point of the screen in units of the picture.
  function place(svg, event) {
    const matrix = svg.getScreenCTM().inverse();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    return [point.x, point.y];
  }

  document.addEventListener("wheel", (event) => {
    const svg = event.target.closest && event.target.closest("svg.graph");
    if (!svg || !(event.ctrlKey || event.metaKey)) return;  // plain scrolling moves the page
    event.preventDefault();
    const by = event.deltaY < 0 ? ZOOM : 1 / ZOOM;
    show(svg, zoomed(numbers(svg.getAttribute("viewBox")), by, svg, place(svg, event)));
  }, { passive: false });

  let held = null;
  document.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest && event.target.closest("svg.graph");
    if (!svg || event.button !== 0 || event.target.closest("a")) return;
    held = { svg, from: place(svg, event) };
    svg.classList.add("moving");
  });
  document.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y, width, height] = numbers(held.svg.getAttribute("viewBox"));
    const [px, py] = place(held.svg, event);
    show(held.svg, [x + held.from[0] - px, y + held.from[1] - py, width, height]);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
      if (held) held.svg.classList.remove("moving");
      held = null;
    });
  }
})();
