// While Xero is setting an account up, the table is brought up to date by itself; what is being typed elsewhere stays.
(() => {
  const look = async () => {
    const here = document.querySelector("[data-refresh]");
    if (!here) return;
    try {
      const answer = await fetch(location.pathname, { credentials: "same-origin" });
      if (answer.ok) {
        const there = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(here.id);
        if (there && there.innerHTML !== here.innerHTML && !here.contains(document.activeElement)) here.replaceWith(there);
      }
    } catch { /* Offline for a moment: the next look will tell. */ }
    setTimeout(look, 3000);
  };
  setTimeout(look, 3000);
})();
