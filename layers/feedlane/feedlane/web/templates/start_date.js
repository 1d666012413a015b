// The start date follows the chosen Xero account, as long as the customer has not chosen a date: a new account has
// nothing yet and takes all there is, while an account in use starts today.
(() => {
  document.querySelectorAll("select[data-start]").forEach((select) => {
    const start = document.getElementById(select.dataset.start);
    const usual = () => (select.value === select.dataset.new ? start.min : start.max);
    let isOwn = start.value !== usual();
    start.addEventListener("input", () => (isOwn = true));
    select.addEventListener("change", () => {
      if (!isOwn) start.value = usual();
    });
  });
})();
