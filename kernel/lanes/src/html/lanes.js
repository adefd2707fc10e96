// Makes the picture of lanes answer: details under the pointer, a slider through the steps with the
// lines of all threads marked, zoom. Without it the picture, the remarks and the table are all there.
const seconds = (ns) => {
  const [unit, name] = ns < 999500 ? [1e3, "µs"] : ns < 999500000 ? [1e6, "ms"] : [1e9, "s"];
  return `${Number((ns / unit).toPrecision(4))} ${name}`;
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
    isLast: row.dataset.last === "true",
    place: row.dataset.place,
    text: [...row.cells].map((cell) => cell.textContent).filter((text) => text).join("  ·  "),
  }));

  // The picture, all of it or a part, with a line at the moment of the slider.
  const canvas = make("div", "position:relative;width:max-content;max-width:100%");
  frame.replaceChild(canvas, image);
  const cursor = make("div", "position:absolute;top:0;bottom:0;width:0;border-left:2px solid #c2185b;display:none;pointer-events:none");
  canvas.append(image, cursor);
  const whole = image.src;
  const drawing = new DOMParser().parseFromString(
    new TextDecoder().decode(Uint8Array.from(atob(whole.split(",")[1]), (c) => c.charCodeAt(0))),
    "image/svg+xml",
  );
  let view = [0, data.end];
  const look = (begin, length) => {
    const all = length >= data.end;
    const start = Math.min(Math.max(0, begin), Math.max(0, data.end - length));
    view = all ? [0, data.end] : [start, start + length];
    image.src = all ? whole : drawPart(data, drawing, view);
    image.style.cursor = all ? "" : "grab";
    point();
  };
  const unit = () => image.getBoundingClientRect().width / data.size[0];
  const timeAt = (event) => {
    const x = (event.clientX - image.getBoundingClientRect().left) / unit();
    return view[0] + ((x - data.left) / data.width) * (view[1] - view[0]);
  };

  // What is under the pointer.
  const tip = make("div", "position:fixed;z-index:1000;display:none;pointer-events:none;padding:3px 8px;border-radius:4px;background:#1f2328;color:#fff;border:1px solid #666;font-size:12px;max-width:32em;white-space:pre-line");
  root.append(tip);
  const found = (event) => {
    const y = (event.clientY - image.getBoundingClientRect().top) / unit();
    const lane = data.lanes.find((lane) => y >= lane.y - 3 && y <= lane.y + data.bar + 3);
    const time = timeAt(event);
    if (!lane || time < view[0] || time > view[1]) return "";
    const span = lane.spans.find(([from, to]) => from <= time && time <= to);
    if (!span) return lane.name;
    const [from, to, said, , , place] = span;
    const lines = [`${lane.name}: ${data.texts[said]}`, `${seconds(to - from)}, from ${seconds(from)}`];
    return [...lines, ...(place ? [place] : [])].join("\n");
  };
  let held;
  image.addEventListener("pointermove", (event) => {
    if (held) {
      const perPixel = (view[1] - view[0]) / (data.width * unit());
      return look(held.begin - (event.clientX - held.x) * perPixel, view[1] - view[0]);
    }
    tip.textContent = found(event);
    tip.style.display = tip.textContent ? "block" : "none";
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8)}px`;
  });
  image.addEventListener("pointerleave", () => (tip.style.display = "none"));
  image.addEventListener("pointerdown", (event) => {
    if (view[1] - view[0] >= data.end) return;
    held = { x: event.clientX, begin: view[0] };
    image.setPointerCapture(event.pointerId);
  });
  image.addEventListener("pointerup", () => (held = undefined));
  image.addEventListener("dblclick", (event) => {
    const length = (view[1] - view[0]) / 4;
    look(timeAt(event) - length / 2, length);
  });
  image.draggable = false;

  // The code, line by line.
  const code = make("div", "display:none;position:relative;overflow:auto;max-height:24em;margin:6px 0");
  const lines = new Map();
  for (const source of data.sources) {
    code.append(make("div", "opacity:.7;font-size:90%", `In[${source.number}]`));
    source.code.split("\n").forEach((text, index) => {
      const line = make("div", "display:flex;width:max-content;min-width:100%;box-sizing:border-box;font-family:var(--jp-code-font-family,monospace);font-size:var(--jp-code-font-size,13px);line-height:1.5;white-space:pre;border-left:3px solid transparent;padding-left:6px");
      const who = make("span", "position:sticky;right:0;margin-left:2em;padding:0 6px;background:var(--jp-layout-color0,#fff);font-family:system-ui,sans-serif;font-weight:600");
      who.hidden = true;
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
  const now = () => steps[Number(slider.value) - 1];
  const point = () => {
    const step = now();
    const isSeen = step && step.at >= view[0] && step.at <= view[1];
    const share = step ? (step.at - view[0]) / (view[1] - view[0]) : 0;
    cursor.style.display = isSeen ? "block" : "none";
    cursor.style.left = `${(100 * (data.left + data.width * share)) / data.size[0]}%`;
  };
  const show = () => {
    const [step, count] = [now(), Number(slider.value)];
    const at = new Map();
    for (const past of steps.slice(0, count)) {
      // An object is not at a line, whatever was done to it there.
      if (past.place && !data.lanes[past.lane].isObject) at.set(past.lane, past.place);
      if (past.isLast) at.delete(past.lane);
    }
    for (const [line, who] of lines.values()) {
      line.style.background = who.textContent = "";
      who.hidden = true;
      line.style.borderLeftColor = "transparent";
    }
    for (const [lane, place] of at) {
      const [line, who] = lines.get(place) || [];
      if (!line) continue;
      line.style.background = "rgba(33,150,243,.2)";
      line.style.borderLeftColor = "#2196f3";
      who.hidden = false;
      who.textContent += `${who.textContent ? ", " : "◀ "}${data.lanes[lane].name}`;
    }
    for (const { row } of steps) row.style.outline = "";
    if (step) step.row.style.outline = "2px solid #c2185b";
    code.style.display = step && lines.size ? "block" : "none";
    const [here] = (step && lines.get(step.place)) || [];
    if (here) code.scrollTop = here.offsetTop - code.clientHeight / 2;
    said.textContent = step ? `${count} of ${steps.length}:  ${step.text}` : "";
    slider.setAttribute("aria-valuetext", said.textContent || "before the first step");
    // The view follows.
    const length = view[1] - view[0];
    if (step && (step.at < view[0] || step.at > view[1])) look(step.at - length / 2, length);
    point();
  };
  const go = (by) => {
    slider.value = Number(slider.value) + by;
    show();
  };
  slider.addEventListener("input", show);
  const centre = () => {
    const step = now();
    const isSeen = step && step.at >= view[0] && step.at <= view[1];
    return isSeen ? step.at : (view[0] + view[1]) / 2;
  };
  const enlarge = (by) => {
    const length = Math.max(100, (view[1] - view[0]) / by);
    look(centre() - length / 2, length);
  };
  bar.append(
    button("◀", "one step back", () => go(-1)),
    slider,
    button("▶", "one step on", () => go(1)),
    button("−", "more time", () => enlarge(1 / 2)),
    button("+", "less time, larger", () => enlarge(2)),
  );
  root.querySelector(".il-steps").before(bar, said, code);
};

for (const root of document.querySelectorAll(".interleave-lanes[data-lanes]")) {
  if (root.dataset.lives) continue;
  root.dataset.lives = "true";
  // These keys belong to the slider and the buttons, not to the notebook around them.
  root.addEventListener("keydown", (event) => {
    if (/^(Arrow.*|Home|End|Page.*|Enter| )$/.test(event.key)) event.stopPropagation();
  });
  const details = root.querySelector("details");
  const open = () => {
    if (!details.open) return;
    details.removeEventListener("toggle", open);
    enliven(root);
  };
  details.addEventListener("toggle", open);
  open();
}
}
