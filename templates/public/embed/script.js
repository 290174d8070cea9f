// Shows a notice in the corner of the page that loads this script, while something is wrong at {{ title|escapejs }}.
(function () {
  "use strict";
  if (window.statusEmbedTest) return;
  var address = "{{ frame_url|escapejs }}";
  var frame = document.createElement("iframe");
  var phone = window.matchMedia("(max-width: 480px)");
  var dismissed = "";

  function place() {
    var style = frame.style;
    style.position = "fixed";
    style.border = "0";
    style.width = phone.matches ? "100%" : "320px";
    style.height = "115px";
    style.left = phone.matches ? "0" : "60px";
    style.bottom = phone.matches ? "0" : "60px";
    style.zIndex = "9999";
    style.colorScheme = "normal";
    style.boxShadow = "0 4px 24px rgba(0, 0, 0, 0.25)";
  }

  function show(visible) {
    // Not display: none, in which browsers put off what is loaded.
    frame.style.visibility = visible ? "visible" : "hidden";
    frame.tabIndex = visible ? 0 : -1;
  }

  window.addEventListener("message", function (event) {
    if (event.source !== frame.contentWindow || !event.data) return;
    if (event.data.action === "showFrame") show(event.data.codes !== dismissed);
    if (event.data.action === "hideFrame") show(false);
    if (event.data.action === "dismissFrame") {
      dismissed = event.data.codes;
      show(false);
    }
  });

  function start() {
    frame.title = "{{ title|escapejs }}";
    frame.src = address;
    place();
    show(false);
    phone.addEventListener("change", place);
    document.body.appendChild(frame);
  }

  window.statusEmbedTest = function () {
    dismissed = "";
    frame.src = address + "?test=1";
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
