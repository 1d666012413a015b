"""What every page must give to those who do not see it, cannot use a mouse, or read on a small screen."""

from __future__ import annotations

from playwright.sync_api import Page

_CHECK = """
() => {
  const faults = [];
  const shown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest("[aria-hidden=true]");
  const text = (one) => (one?.textContent || "").trim();
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  const headings = [...document.querySelectorAll("h1,h2,h3,h4")].filter(shown);
  if (headings.filter((one) => one.tagName === "H1").length !== 1) faults.push("not one h1");
  headings.reduce((before, one) => {
    const level = Number(one.tagName[1]);
    if (level > before + 1) faults.push(`heading skips to ${one.tagName}: ${text(one)}`);
    return level;
  }, 0);
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  for (const one of document.querySelectorAll("[aria-describedby],[aria-labelledby]"))
    for (const name of ["aria-describedby", "aria-labelledby"])
      for (const id of (one.getAttribute(name) || "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) faults.push(`${name} leads nowhere: ${id}`);
  for (const one of document.querySelectorAll("input:not([type=hidden]),select,textarea"))
    if (shown(one) && ![...one.labels].some((label) => text(label))) faults.push(`no label: ${one.name}`);
  for (const one of document.querySelectorAll("a[href],button"))
    if (shown(one) && !text(one) && !one.getAttribute("aria-label")) faults.push("a button or link without a name");
  for (const one of document.querySelectorAll("img")) if (!one.hasAttribute("alt")) faults.push("image without alt");
  for (const one of document.querySelectorAll("table"))
    if (!one.querySelector("th[scope=col]")) faults.push("table without column headings");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");

  const colour = (value) => {
    const [r, g, b, a = 1] = value.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.a > 0.99) return found;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const light = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  for (const one of document.body.querySelectorAll("*")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !shown(one) || one.matches("option,optgroup,noscript,script,.hidden,.skip")) continue;
    const [a, b] = [light(colour(getComputedStyle(one).color)), light(ground(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${text(one).slice(0, 40)}`);
  }
  return faults;
}
"""


def faults(page: Page) -> list[str]:
    """In light and dark, on a wide and on a narrow screen."""
    found: list[str] = []
    before = page.viewport_size or {"width": 1200, "height": 900}
    for width in (1200, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            found += [f"{fault} ({width} px, {scheme})" for fault in page.evaluate(_CHECK)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(before)  # type: ignore[arg-type]
    return found
