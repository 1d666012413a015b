// What a page gains with scripts: buttons that copy, times in the reader's own zone, and "/" leads to the search.
(() => {
  const said = (text) => {
    const place = document.getElementById("said");
    if (place) place.textContent = text;
  };
  const copied = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent.trim());
      return true;
    } catch {
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  };
  const addCopyButton = (element) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy ${element.dataset.copy}`);
    button.addEventListener("click", async () => {
      const text = (await copied(element)) ? "Copied" : "Selected: copy it with the keyboard";
      button.textContent = text;
      said("");
      setTimeout(() => said(text), 50);
      setTimeout(() => (button.textContent = "Copy"), 2500);
    });
    element.after(" ", button);
  };
  const zoned = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
  const showTime = (element) => {
    const local = new Date(element.dateTime).toLocaleString("en-GB", zoned);
    if (element.dataset.time === "at") element.textContent = local;
    else element.title = local;
  };
  const enhance = (part) => {
    part.querySelectorAll("[data-copy]").forEach(addCopyButton);
    part.querySelectorAll("time[data-time]").forEach(showTime);
  };
  enhance(document);
  document.addEventListener("feedlane:part", (event) => enhance(event.detail));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea, [contenteditable]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const search = [...document.querySelectorAll("input[type=search]")].find((field) => field.checkVisibility());
    if (!search) return;
    event.preventDefault();
    search.focus();
  });
})();
