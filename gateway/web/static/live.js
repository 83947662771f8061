// A stream of server-sent events that comes back: after a lost connection the server sends everything anew, so that
// the page catches up by itself. The mark with the id "pulse" says how things are.

const quiet = 12_000; // the server speaks at least every four seconds
const shown = { waiting: "connecting", live: "live", lost: "connection lost, trying again" };

// follow calls handlers[event](data) for each event of a stream. It rests while nobody sees the page.
export function follow(url, handlers) {
  const pulse = document.getElementById("pulse");
  let source = null, timer = 0, watchdog = 0, delay = 0;

  const show = (state) => {
    if (pulse.dataset.state === state) return;
    pulse.dataset.state = state;
    pulse.textContent = shown[state];
    document.body.classList.toggle("stale", state === "lost");
  };
  const heard = () => {
    delay = 0;
    show("live");
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, quiet);
  };
  const close = () => {
    clearTimeout(timer);
    clearTimeout(watchdog);
    source?.close();
    source = null;
  };
  const lose = () => {
    close();
    show("lost");
    if (!navigator.onLine || document.hidden) return; // the events below bring it back
    delay = Math.min(5000, delay ? delay * 2 : 250);
    timer = setTimeout(open, delay);
  };
  const open = () => {
    close();
    source = new EventSource(url);
    source.onerror = lose;
    source.addEventListener("ping", heard);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (e) => {
        heard();
        handle(JSON.parse(e.data));
      });
    }
  };
  addEventListener("offline", () => { close(); show("lost"); });
  addEventListener("online", open);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (e) => { if (e.persisted) open(); });
  if (!document.hidden) open();
}
