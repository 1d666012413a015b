// Keeps the parts of a page that are under way up to date, without touching a form that is being filled in. What has
// changed is announced in a place that stays. A part without data-refresh is finished, and asks no more.
(() => {
  // How a part came, by its id: the other script adds to it, and "3 minutes ago" is no change.
  const came = new Map();
  const plain = (part) => part.innerHTML.replace(/>[^<]*<\/time>/g, "></time>");
  for (const part of document.querySelectorAll("[data-refresh]")) came.set(part.id, plain(part));

  const replace = (part, update) => {
    if (plain(update) === came.get(part.id) || part.contains(document.activeElement)) return;
    came.set(part.id, plain(update));
    part.replaceWith(update);
    document.dispatchEvent(new CustomEvent("feedlane:part", { detail: update }));
    const said = document.getElementById("said");
    if (said && part.dataset.refresh) said.textContent = part.dataset.refresh;
  };
  const refresh = async () => {
    const parts = document.querySelectorAll("[data-refresh]");
    if (!parts.length) return;
    try {
      const response = await fetch(location.pathname + location.search, { credentials: "same-origin" });
      if (response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const part of parts) {
          const update = page.getElementById(part.id);
          if (update) replace(part, update);
        }
        // What only goes along with the parts, such as a number in the navigation: it is not announced.
        for (const part of document.querySelectorAll("[data-follow]")) {
          const update = page.getElementById(part.id);
          if (update && update.innerHTML !== part.innerHTML) part.replaceWith(update);
        }
      }
    } catch { /* Offline: the next refresh may succeed. */ }
    setTimeout(refresh, 3000);
  };
  setTimeout(refresh, 3000);
})();
