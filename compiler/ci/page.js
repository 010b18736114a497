"use strict";
/* Shows the report. Text of rules is hostile: it only ever becomes the text of
 * a node, with invisible characters spelled out and a bound on its length. */
(() => {
  const STEP = 50; // rows that are made at a time
  const LONG = 600; // characters of a text that are shown
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);

  // Control, bidirectional and other invisible characters, but for line ends.
  const HIDDEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu;
  const shown = (value) => {
    const text = String(value ?? "");
    const cut = text.length > LONG ? text.slice(0, LONG) + "\u2026" : text;
    return cut.replace(HIDDEN, (c) => "\\u{" + c.codePointAt(0).toString(16) + "}");
  };

  const make = (name, props = {}, ...kids) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props))
      if (value !== undefined) node.setAttribute(key, value);
    node.append(...kids);
    return node;
  };
  const text = (name, value, props) => {
    const node = make(name, props);
    node.textContent = shown(value);
    return node;
  };

  /* -------- tables ------------------------------------------------------- */

  // A column: label, get(row) for sorting and searching, and perhaps
  // show(row), which gives nodes; `number`, `head` for the row's header.
  const cell = (column, row) => {
    const node = column.head ? make("th", {scope: "row", role: "rowheader"})
      : make("td", {"data-label": column.label, role: "cell", class: column.number ? "number" : undefined});
    const value = column.get(row);
    if (column.show) node.append(...column.show(row));
    else if (value !== undefined && value !== "")
      node.append(text("span", column.number ? Math.round(value * 100) / 100 : value, {class: column.mark ? value : undefined}));
    return node;
  };

  const compare = (get, sign) => (a, b) => {
    const x = get(a) ?? "", y = get(b) ?? "";
    if (x === y) return 0;
    if (x === "") return 1; // nothing comes last
    if (y === "") return -1;
    return sign * (typeof x === "number" && typeof y === "number" ? x - y : String(x) < String(y) ? -1 : 1);
  };

  // Put a table with a search and filters into a section. Rows are made a
  // few at a time, when asked for. Returns a function that searches for a text.
  const table = (place, caption, rows, columns, filters) => {
    const section = byId(place);
    if (rows.length === 0) {
      section.append(text("p", "None."));
      return () => {};
    }
    const words = new Map(); // what is searched of a row, made by the first search
    const wordsOf = (row) => {
      if (!words.has(row)) words.set(row, columns.map((c) => (c.words ?? c.get)(row)).join("\n").toLowerCase());
      return words.get(row);
    };
    const search = make("input", {type: "search", autocomplete: "off", spellcheck: "false"});
    const tools = make("div", {class: "tools", role: "search", "aria-label": caption},
      make("label", {}, "Search " + caption.toLowerCase(), search));
    const picks = filters.map((f) => {
      const select = make("select", {}, text("option", "all", {value: ""}));
      for (const value of [...new Set(rows.map(f.get))].filter((v) => v).sort())
        select.append(text("option", value, {value}));
      tools.append(make("label", {}, f.label, select));
      select.addEventListener("change", () => refresh());
      return [select, f.get];
    });
    const status = make("p", {role: "status", class: "faint"});
    const body = make("tbody", {role: "rowgroup"});
    const heads = columns.map((c, i) => {
      const button = text("button", c.label, {type: "button"});
      button.addEventListener("click", () => sort(i));
      return make("th", {scope: "col", role: "columnheader", "aria-sort": "none"}, button);
    });
    const more = make("button", {type: "button", class: "more"});
    let view = rows, done = 0, timer = 0;

    const grow = () => {
      const end = Math.min(done + STEP, view.length), part = document.createDocumentFragment();
      for (; done < end; done++)
        part.append(make("tr", {role: "row"}, ...columns.map((c) => cell(c, view[done]))));
      body.append(part);
      more.hidden = done >= view.length;
      more.textContent = "Show " + Math.min(STEP, view.length - done) + " more of " + (view.length - done);
    };
    const refresh = () => {
      const sought = search.value.toLowerCase().split(/\s+/).filter((w) => w);
      const by = heads.findIndex((h) => h.getAttribute("aria-sort") !== "none");
      view = rows.filter((row) => sought.every((w) => wordsOf(row).includes(w)) &&
        picks.every(([select, get]) => select.value === "" || get(row) === select.value));
      if (by >= 0)
        view.sort(compare(columns[by].get, heads[by].getAttribute("aria-sort") === "ascending" ? 1 : -1));
      body.replaceChildren();
      done = 0;
      grow();
      status.textContent = view.length + " of " + rows.length;
    };
    const sort = (i) => {
      const up = heads[i].getAttribute("aria-sort") !== "ascending";
      heads.forEach((h, k) => h.setAttribute("aria-sort", k !== i ? "none" : up ? "ascending" : "descending"));
      refresh();
    };

    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(refresh, 120);
    });
    more.addEventListener("click", grow);
    section.append(tools, status, make("table", {role: "table"}, text("caption", caption),
      make("thead", {role: "rowgroup"}, make("tr", {role: "row"}, ...heads)), body), more);
    refresh();
    return (words) => {
      picks.forEach(([select]) => { select.value = ""; });
      search.value = words;
      refresh();
      section.scrollIntoView();
      search.focus({preventScroll: true});
    };
  };

  /* -------- what rows say ------------------------------------------------- */

  const titled = (rule) => [text("span", rule.title || "(no title)", {class: "title"}),
    text("span", rule.path, {class: "faint"})];
  const place = (x) => x.line ? x.path + ":" + x.line + ":" + x.column : x.path ?? "";
  const coded = (code) => [text("code", code)];
  const hinted = (message, hint) => hint ? [text("span", message), " ", text("span", "(" + hint + ")", {class: "faint"})]
    : [text("span", message)];
  const rank = {critical: 5, high: 4, medium: 3, low: 2, informational: 1};

  const summary = () => {
    const s = data.summary, bad = s.failing > 0;
    const verdict = byId("verdict");
    verdict.textContent = bad ? "failed" : "passed";
    verdict.className = bad ? "failed" : "passed";
    document.title = "sigcc: " + verdict.textContent;
    byId("version").textContent = shown(data.compiler);
    byId("context").textContent = data.since ? "What changed since " + shown(data.since.slice(0, 12)) + ", and what depends on it."
      : "All rules.";
    for (const [name, key] of [["rules", "rules"], ["compiled", "compiled"], ["refused", "rejected"], ["unchanged", "unchanged"],
      ["failing findings", "failing"], ["known findings", "known"], ["tests", "tests"], ["failed tests", "failed"],
      ["untested rules", "untested"], ["detectors built", "detectors"]])
      byId("totals").append(make("div", {}, text("dt", name), text("dd", s[key])));
  };

  const matrix = (find) => {
    const most = Math.max(1, ...Object.values(data.attack.techniques));
    const heat = (n) => "heat" + Math.max(1, Math.min(4, Math.ceil(4 * Math.log(n + 1) / Math.log(most + 1))));
    for (const tactic of data.attack.tactics) {
      const list = make("ul");
      for (const [id, n] of Object.entries(tactic.techniques)) {
        const button = make("button", {type: "button", class: heat(n), "aria-label": id + ", " + n + (n === 1 ? " rule" : " rules")},
          text("span", id), text("span", n));
        button.addEventListener("click", () => find("attack." + id.toLowerCase()));
        list.append(make("li", {}, button));
      }
      byId("matrix").append(make("section", {}, text("h3", tactic.title + " (" + tactic.rules + ")"), list));
    }
    if (data.attack.tactics.length === 0) byId("matrix").append(text("p", "No rule has tags of ATT&CK."));
  };

  summary();
  table("refused", "Refused rules", data.rules.filter((r) => r.status === "rejected"), [
    {label: "Rule", head: true, get: (r) => r.title, show: titled, words: (r) => r.title + "\n" + r.path},
    {label: "Code", get: (r) => r.code, show: (r) => coded(r.code)},
    {label: "Line", number: true, get: (r) => r.line},
    {label: "Why", get: (r) => r.reason, show: (r) => hinted(r.reason, r.hint)},
  ], [{label: "Code", get: (r) => r.code}]);
  table("findings", "Findings", data.findings, [
    {label: "Finding", head: true, get: (f) => f.message, show: (f) => hinted(f.message, f.hint)},
    {label: "Code", get: (f) => f.code, show: (f) => [...coded(f.code), " ", text("span", f.slug, {class: "faint"})],
      words: (f) => f.code + "\n" + f.slug},
    {label: "Severity", mark: true, get: (f) => f.severity},
    {label: "Baseline", mark: true, get: (f) => f.known ? "known" : f.failing ? "new" : "not failing"},
    {label: "Rule", get: (f) => f.rule?.title},
    {label: "Place", get: place},
  ], [{label: "Code", get: (f) => f.code}, {label: "Severity", get: (f) => f.severity},
    {label: "Baseline", get: (f) => f.known ? "known" : f.failing ? "new" : "not failing"}]);
  table("tests", "Tests", data.tests, [
    {label: "Events", head: true, get: (t) => t.path},
    {label: "Result", mark: true, get: (t) => t.status},
    {label: "Expected", get: (t) => t.expect === "match" ? "match" : "no match"},
    {label: "Number of events", number: true, get: (t) => t.events},
    {label: "Rule file", get: (t) => t.rule_path},
    {label: "Why", get: (t) => t.reason ?? t.failures.map((f) => "line " + f.line + ": " + f.reason).join("; ")},
  ], [{label: "Result", get: (t) => t.status}]);
  matrix(table("rules", "Rules", data.rules, [
    {label: "Rule", head: true, get: (r) => r.title, show: titled,
      words: (r) => [r.title, r.path, r.id, ...(r.tags ?? [])].join("\n")},
    {label: "Status", mark: true, get: (r) => r.status},
    {label: "Level", get: (r) => r.level ? (rank[r.level] ?? 0) : "", show: (r) => [text("span", r.level)], words: (r) => r.level},
    {label: "Test", mark: true, get: (r) => r.test},
    {label: "Cost", mark: true, get: (r) => r.cost?.class},
    {label: "Work", number: true, get: (r) => r.cost?.work},
    {label: "Events find it by", get: (r) => r.cost?.found_by},
  ], [{label: "Status", get: (r) => r.status}, {label: "Cost", get: (r) => r.cost?.class}, {label: "Test", get: (r) => r.test}]));
})();
