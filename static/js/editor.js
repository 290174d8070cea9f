// A text that goes out in a moment says how many seconds are left.
setInterval(() => {
  for (const time of document.querySelectorAll("[data-countdown]")) {
    const seconds = Math.round((new Date(time.dateTime) - Date.now()) / 1000);
    if (seconds <= 600) time.textContent = seconds > 0 ? `in ${seconds} s` : "now";
  }
}, 1000);
