// Everything that a page can do to another origin. Each attempt gives what it got to read, "" for nothing.
// Called with the address of the review, a path of a clip's still and film, and a decision as JSON.

async ({ base, still, film, decision }) => {
  const got = {};
  const tried = async (name, attempt) => {
    try {
      got[name] = String((await attempt()) ?? "");
    } catch {
      got[name] = "";
    }
  };
  const loaded = (tag, path) => new Promise((done) => {
    const element = document.createElement(tag);
    element.onload = element.onloadeddata = () => done("loaded");
    element.onerror = () => done("");
    element.src = base + path;
    document.body.append(element);
  });
  const framed = (path) => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.onload = () => done(frame.contentDocument?.body.innerText);
    frame.src = base + path;
    document.body.append(frame);
  });
  const opened = (source) => new Promise((done) => {
    source.onopen = () => done("open");
    source.onerror = () => done("");
  });
  const read = async (path, options) =>
    (await fetch(base + path, { credentials: "include", ...options })).text();
  const json = { method: "POST", headers: { "Content-Type": "application/json" } };

  await tried("cookie", () => document.cookie);
  await tried("storage", () => [...Object.values(localStorage), ...Object.values(sessionStorage)].join());
  for (const path of ["/", "/report/index.html", "/report/report.json", "/api/changes?since=0"]) {
    await tried(`fetch ${path}`, () => read(path));
    await tried(`blind fetch ${path}`, () => read(path, { mode: "no-cors" }));
    await tried(`script ${path}`, () => loaded("script", path));
    await tried(`frame ${path}`, () => framed(path));
  }
  await tried("headers", () => read("/report/report.json", { headers: { "Footage-Session": "x" } }));
  await tried("decide", () => read("/api/decide", { ...json, body: decision }));
  await tried("blind decide", () => read("/api/decide", { method: "POST", mode: "no-cors", body: decision }));
  await tried("enter", () => read("/api/enter", { ...json, body: '{"token": ""}' }));
  await tried("beacon", () => { navigator.sendBeacon(`${base}/api/decide`, decision); });
  await tried("still", () => loaded("img", still));
  await tried("film", () => loaded("video", film));
  await tried("events", () => opened(new EventSource(`${base}/api/changes?since=0`, { withCredentials: true })));
  await tried("socket", () => opened(new WebSocket(`${base.replace("http", "ws")}/api/changes`)));
  await tried("form", () => new Promise((done) => {
    const frame = document.createElement("iframe");
    frame.name = "answer";
    document.body.append(frame);
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action: `${base}/api/decide`, target: "answer", enctype: "text/plain" });
    const field = document.createElement("input");
    field.name = decision;
    form.append(field);
    document.body.append(form);
    frame.onload = () => done(frame.contentDocument?.body.innerText);
    form.submit();
  }));
  await tried("window", async () => {
    const other = window.open(`${base}/report/index.html`);
    const isLoaded = () => other.location.href !== "about:blank" && other.document.readyState === "complete";
    while (!isLoaded()) await new Promise((done) => setTimeout(done, 10));
    return other.document.body.innerText;
  });
  return got;
}
