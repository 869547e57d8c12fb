let library = null; // a promise of it: it is loaded when there is a formula

/**
 * Makes MathML of the TeX in an element. Temml makes its elements itself,
 * without HTML in between, and nothing but MathML; what it cannot read stays.
 */
export async function renderMath(root) {
  const formulas = root.matches(".math") ? [root] : [...root.querySelectorAll(".math:not(:has(math))")];
  if (formulas.length === 0) return;
  library ??= import("../third_party/temml/temml.mjs");
  const { default: temml } = await library;
  for (const element of formulas) {
    const tex = element.textContent;
    const made = document.createElement("span");
    try {
      temml.render(tex, made, { displayMode: element.dataset.display === "true", throwOnError: true, trust: false });
    } catch {
      continue;
    }
    element.title = tex;
    element.replaceChildren(...made.childNodes);
  }
}
