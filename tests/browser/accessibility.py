"""What every page must provide for people who use a screen reader, only a keyboard, or a small screen."""

from __future__ import annotations

from playwright.sync_api import Page

_CHECK = """
() => {
  const faults = [];
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest("[aria-hidden=true]");
  const text = (element) => (element?.textContent || "").trim();
  if (!document.documentElement.lang) faults.push("no language");
  if (!document.title.trim()) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");
  const headings = [...document.querySelectorAll("h1,h2,h3,h4")].filter(isShown);
  if (headings.filter((element) => element.tagName === "H1").length !== 1) faults.push("not one h1");
  headings.reduce((previousLevel, element) => {
    const level = Number(element.tagName[1]);
    if (level > previousLevel + 1) faults.push(`heading skips to ${element.tagName}: ${text(element)}`);
    return level;
  }, 0);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`id twice: ${id}`);
  for (const element of document.querySelectorAll("[aria-describedby],[aria-labelledby]"))
    for (const name of ["aria-describedby", "aria-labelledby"])
      for (const id of (element.getAttribute(name) || "").split(" ").filter(Boolean))
        if (!document.getElementById(id)) faults.push(`${name} leads nowhere: ${id}`);
  for (const field of document.querySelectorAll("input:not([type=hidden]),select,textarea"))
    if (isShown(field) && ![...field.labels].some((label) => text(label))) faults.push(`no label: ${field.name}`);
  for (const control of document.querySelectorAll("a[href],button"))
    if (isShown(control) && !text(control) && !control.getAttribute("aria-label"))
      faults.push("a button or link without a name");
  for (const image of document.querySelectorAll("img"))
    if (!image.hasAttribute("alt")) faults.push("image without alt");
  for (const table of document.querySelectorAll("table"))
    if (!table.querySelector("th[scope=col]")) faults.push("table without column headings");
  if (document.documentElement.scrollWidth > innerWidth) faults.push("wider than the screen");

  const colour = (value) => {
    const [r, g, b, a = 1] = value.match(/[\\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const backgroundOf = (element) => {
    for (let ancestor = element; ancestor; ancestor = ancestor.parentElement) {
      const background = colour(getComputedStyle(ancestor).backgroundColor);
      if (background.a > 0.99) return background;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  for (const element of document.body.querySelectorAll("*")) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!hasText || !isShown(element) || element.matches("option,optgroup,noscript,script,.hidden,.skip")) continue;
    const luminances = [colour(getComputedStyle(element).color), backgroundOf(element)].map(luminance);
    const ratio = (Math.max(...luminances) + 0.05) / (Math.min(...luminances) + 0.05);
    if (ratio < 4.5) faults.push(`contrast ${ratio.toFixed(2)}: ${text(element).slice(0, 40)}`);
  }
  return faults;
}
"""


def faults(page: Page) -> list[str]:
    """The page's faults in light and dark mode, on wide and narrow screens."""
    messages: list[str] = []
    viewport = page.viewport_size or {"width": 1200, "height": 900}
    for width in (1200, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            messages += [f"{fault} ({width} px, {scheme})" for fault in page.evaluate(_CHECK)]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(viewport)  # type: ignore[arg-type]
    return messages
