// Shows the seconds left until a scheduled update is published.
setInterval(() => {
  for (const time of document.querySelectorAll("[data-countdown]")) {
    const seconds = Math.round((new Date(time.dateTime) - Date.now()) / 1000);
    if (seconds <= 600) time.textContent = seconds > 0 ? `in ${seconds} s` : "now";
  }
}, 1000);
