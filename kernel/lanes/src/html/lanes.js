// Makes the picture of lanes answer: details under the pointer, a slider through the steps with the
// lines of all threads marked, zoom. Without it the picture, the remarks and the table are all there.
(() => {
  const seconds = (ns) => {
    const [unit, name] = ns < 999500 ? [1e3, "µs"] : ns < 999500000 ? [1e6, "ms"] : [1e9, "s"];
    return `${(ns / unit).toPrecision(3)} ${name}`;
  };
  const make = (name, style, text) => {
    const element = document.createElement(name);
    element.style.cssText = style;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const button = (text, label, action) => {
    const element = make("button", "min-width:2em;cursor:pointer", text);
    element.type = "button";
    element.title = label;
    element.setAttribute("aria-label", label);
    element.addEventListener("click", action);
    return element;
  };

  const enliven = (root) => {
    const data = JSON.parse(root.dataset.lanes);
    const [frame, image] = [root.querySelector(".il-frame"), root.querySelector("img")];
    const steps = [...root.querySelectorAll("tr[data-at]")].map((row) => ({
      row,
      at: Number(row.dataset.at),
      lane: Number(row.dataset.lane),
      is_last: row.dataset.last === "true",
      place: row.dataset.place && row.dataset.place.split(":").map(Number),
      text: [...row.cells].map((cell) => cell.textContent).filter((text) => text).join("  ·  "),
    }));

    // The picture, with a line at the moment of the slider.
    const canvas = make("div", "position:relative;width:max-content;max-width:100%");
    frame.replaceChild(canvas, image);
    const cursor = make("div", "position:absolute;top:0;bottom:0;width:0;border-left:2px solid #c2185b;display:none;pointer-events:none");
    canvas.append(image, cursor);
    const share = (time) => (data.left + (data.width * time) / data.end) / data.size[0];

    // What is under the pointer.
    const tip = make("div", "position:fixed;z-index:1000;display:none;pointer-events:none;padding:3px 8px;border-radius:4px;background:#1f2328;color:#fff;font-size:12px;max-width:32em;white-space:pre-line");
    root.append(tip);
    const found = (event) => {
      const box = image.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * data.size[0];
      const y = ((event.clientY - box.top) / box.height) * data.size[1];
      const lane = data.lanes.find((lane) => y >= lane.y - 2 && y <= lane.y + data.bar + 2);
      const time = ((x - data.left) / data.width) * data.end;
      if (!lane || time < 0 || time > data.end) return "";
      const span = lane.spans.find(([from, to]) => from <= time && time <= to);
      if (!span) return lane.name;
      const [from, to, text, place] = span;
      const lines = [`${lane.name}: ${data.texts[text]}`, `${seconds(to - from)}, from ${seconds(from)}`];
      return [...lines, ...(place ? [place] : [])].join("\n");
    };
    image.addEventListener("mousemove", (event) => {
      tip.textContent = found(event);
      tip.style.display = tip.textContent ? "block" : "none";
      tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
      tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
    });
    image.addEventListener("mouseleave", () => (tip.style.display = "none"));

    // The code, line by line.
    const code = make("div", "display:none;overflow:auto;max-height:24em;margin:6px 0");
    const lines = new Map();
    for (const source of data.sources) {
      code.append(make("div", "opacity:.7;font-size:90%", `In[${source.number}]`));
      source.code.split("\n").forEach((text, index) => {
        const line = make("div", "display:flex;font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);white-space:pre;border-left:3px solid transparent;padding-left:6px");
        const who = make("span", "margin-left:2em;font-family:system-ui,sans-serif;font-size:11px;font-weight:600;color:var(--jp-brand-color1,#0072b2)");
        line.append(make("span", "", text || " "), who);
        lines.set(`${source.number}:${index + 1}`, [line, who]);
        code.append(line);
      });
    }

    // The slider.
    const bar = make("div", "display:flex;gap:6px;align-items:center;margin:6px 0");
    const slider = make("input", "flex:1;min-width:6em");
    Object.assign(slider, { type: "range", min: 0, max: steps.length, value: 0 });
    slider.setAttribute("aria-label", "step");
    const said = make("div", "min-height:1.4em");
    said.setAttribute("aria-live", "polite");
    const show = () => {
      const now = Number(slider.value);
      const at = new Map();
      for (const step of steps.slice(0, now)) {
        if (step.place) at.set(step.lane, step.place.join(":"));
        if (step.is_last) at.delete(step.lane);
      }
      for (const [line, who] of lines.values()) {
        line.style.background = line.style.borderLeftColor = who.textContent = "";
        line.style.borderLeftColor = "transparent";
      }
      for (const [lane, place] of at) {
        const marked = lines.get(place);
        if (!marked) continue;
        const [line, who] = marked;
        line.style.background = "var(--jp-brand-color3,#d6e9f8)";
        line.style.borderLeftColor = "var(--jp-brand-color1,#0072b2)";
        who.textContent += `${who.textContent ? ", " : "◀ "}${data.lanes[lane].name}`;
      }
      const step = steps[now - 1];
      for (const { row } of steps) row.style.outline = "";
      if (step) step.row.style.outline = "2px solid #c2185b";
      cursor.style.display = step ? "block" : "none";
      cursor.style.left = `${100 * share(step ? step.at : 0)}%`;
      code.style.display = step && lines.size ? "block" : "none";
      said.textContent = step ? `${now} of ${steps.length}:  ${step.text}` : "";
      slider.setAttribute("aria-valuetext", said.textContent || "before the first step");
    };
    const go = (by) => {
      slider.value = Number(slider.value) + by;
      show();
    };
    slider.addEventListener("input", show);

    let zoom = 1;
    const enlarge = (by) => {
      const middle = (frame.scrollLeft + frame.clientWidth / 2) / frame.scrollWidth;
      zoom = Math.min(16, Math.max(1, zoom * by));
      const width = zoom === 1 ? "" : `${zoom * frame.clientWidth}px`;
      canvas.style.width = width || "max-content";
      canvas.style.maxWidth = image.style.maxWidth = width ? "none" : "100%";
      image.style.width = width;
      frame.scrollLeft = middle * frame.scrollWidth - frame.clientWidth / 2;
    };
    bar.append(
      button("◀", "one step back", () => go(-1)),
      slider,
      button("▶", "one step on", () => go(1)),
      button("−", "smaller", () => enlarge(1 / 2)),
      button("+", "larger", () => enlarge(2)),
    );
    frame.after(bar, said, code);
  };

  for (const root of document.querySelectorAll(".interleave-lanes[data-lanes]")) {
    if (root.dataset.lives) continue;
    root.dataset.lives = "true";
    // Keys belong to the slider, not to the notebook.
    root.dataset.lmSuppressShortcuts = "true";
    const details = root.querySelector("details");
    const open = () => {
      if (!details.open) return;
      details.removeEventListener("toggle", open);
      enliven(root);
    };
    details.addEventListener("toggle", open);
    open();
  }
})();
