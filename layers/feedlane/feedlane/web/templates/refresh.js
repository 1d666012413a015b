// While Xero is setting up an account, keeps the table up to date without touching the form that is being filled in.
(() => {
  const refresh = async () => {
    const shown = document.querySelector("[data-refresh]");
    if (!shown) return;
    try {
      const response = await fetch(location.pathname, { credentials: "same-origin" });
      if (response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        const update = page.getElementById(shown.id);
        const isChanged = update && update.innerHTML !== shown.innerHTML;
        if (isChanged && !shown.contains(document.activeElement)) shown.replaceWith(update);
      }
    } catch { /* Offline: the next refresh may succeed. */ }
    setTimeout(refresh, 3000);
  };
  setTimeout(refresh, 3000);
})();
