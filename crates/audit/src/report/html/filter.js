"use strict";
// Shows only findings of the chosen severities that hold all the words. Without scripts, everything is shown.
const form = document.querySelector(".filter");
const findings = [...document.querySelectorAll(".finding")].map((element) => ({
  element,
  severity: element.dataset.severity,
  text: element.textContent.toLowerCase(),
}));
function show() {
  const chosen = new Set([...form.querySelectorAll("[name=severity]:checked")].map((box) => box.value));
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const finding of findings) {
    const fits = chosen.has(finding.severity) && words.every((word) => finding.text.includes(word));
    finding.element.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  form.querySelector("output").textContent = `${shown} of ${findings.length} shown`;
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
