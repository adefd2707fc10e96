{
// Draws the part of the picture that depends on time anew, for less time. `document_` is the drawing
// as it came; what stays (names, legend, textures) stays. Returns the address of an image.
const drawPart = (data, document_, [begin, end]) => {
  const { left, width, bar, texts, fills, colours } = data;
  const drawing = document_.cloneNode(true);
  const part = drawing.getElementById("p");
  part.replaceChildren();
  const add = (name, attributes, text) => {
    const element = drawing.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    part.append(element);
  };
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "11px system-ui, sans-serif";
  const wide = (text) => pen.measureText(text).width;
  const right = left + width;
  const x = (time) => left + (width * (time - begin)) / (end - begin);
  const within = (time) => time >= begin && time <= end;
  const write = (at, y, text, more) =>
    add("text", { x: at, y, "font-size": 11, fill: colours.ink, ...more }, text);
  const rim = { stroke: colours.card, "stroke-width": 3, "paint-order": "stroke" };

  // About seven round times.
  const rough = Math.max(1, (end - begin) / 7);
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const tick = [1, 2, 5, 10].map((step) => step * magnitude).find((step) => step >= rough);
  const [unit, name] = end <= 1e3 ? [1, "ns"] : end <= 1e6 ? [1e3, "µs"] : end <= 1e9 ? [1e6, "ms"] : [1e9, "s"];
  for (let time = Math.ceil(begin / tick) * tick; time <= end; time += tick) {
    add("path", { d: `M${x(time)} ${data.axis}V${data.bottom}`, stroke: colours.grid });
    const label = `${Number((time / unit).toPrecision(9))} ${name}`;
    write(x(time), data.axis - 6, label, { fill: colours.faint, "text-anchor": "middle" });
  }

  for (const [from, fromTime, to, toTime, dashes] of data.arrows) {
    if (!within(fromTime) && !within(toTime)) continue;
    const [one, other] = [data.lanes[from].y, data.lanes[to].y];
    const [y1, y2] = one < other ? [one + bar, other] : [one, other + bar];
    const line = { fill: "none", stroke: colours.ink, "stroke-width": 1.1, "marker-end": "url(#a)" };
    if (dashes) line["stroke-dasharray"] = dashes;
    // Of an arrow that leaves the view there is the part inside, without its head.
    const [x1, x2] = [x(fromTime), x(toTime)];
    const cut = (at) => {
      const seen = Math.min(right, Math.max(left, at));
      return `${seen} ${x1 === x2 ? y2 : y1 + ((seen - x1) / (x2 - x1)) * (y2 - y1)}`;
    };
    if (!within(toTime)) delete line["marker-end"];
    const start = x1 === x2 ? `${x1} ${y1}` : cut(x1);
    add("path", { d: `M${start}L${cut(x2)}`, ...line });
  }

  for (const [index, lane] of data.lanes.entries()) {
    for (const [from, to, , label, texture] of lane.spans) {
      if (to < begin || from > end) continue;
      const [start, stop] = [Math.max(left, x(from)), Math.min(right, x(to))];
      // Of several spans the heights say the shares.
      let top = lane.y;
      for (const [kind, share] of Array.isArray(texture) ? [...texture.entries()].reverse() : [[texture, 100]]) {
        if (!share) continue;
        const [height, [fill, stroke]] = [(bar * share) / 100, fills[kind]];
        const isLine = kind === 4;
        add("rect", {
          x: start,
          y: isLine ? top + height / 2 - 0.5 : top,
          width: Math.max(1, stop - start - (stop - start > 4 ? 1 : 0)),
          height: isLine ? 1 : height,
          fill,
          stroke,
          "stroke-width": 0.8,
        });
        top += height;
      }
      const text = texts[label];
      if (!text || wide(text) > stop - start - 10) continue;
      const [middle, half] = [(start + stop) / 2, wide(text) / 2 + 3];
      if (texture === 3) {
        add("rect", { x: middle - half, y: lane.y + 2, width: 2 * half, height: bar - 4, rx: 3, fill: colours.card });
      }
      write(middle, lane.y + bar - 4.5, text, { "text-anchor": "middle" });
    }
    const values = data.arrows.filter((arrow) => arrow[5] && index === Math.max(arrow[0], arrow[2]));
    const notes = [...lane.marks, ...values.map((arrow) => [arrow[3], arrow[5]])];
    let free = 0;
    for (const [at, text] of notes.sort((one, other) => one[0] - other[0])) {
      if (!within(at)) continue;
      const letters = [...text];
      const short = letters.length > 48 ? `${letters.slice(0, 47).join("")}…` : text;
      const length = wide(short) * 1.15 + 8;
      const isRight = x(at) + length <= right;
      const start = isRight ? x(at) : x(at) - length;
      if (start < free) continue;
      free = start + length;
      const mono = { "font-family": "ui-monospace, monospace", "text-anchor": isRight ? "start" : "end" };
      write(x(at) + (isRight ? 5 : -5), lane.strip + 11, short, { ...mono, ...rim });
    }
    for (const [at] of lane.marks) {
      if (within(at)) add("path", { d: `M${x(at)} ${lane.y}l-4 -7h8z`, fill: colours.ink });
    }
  }
  const text = new XMLSerializer().serializeToString(drawing);
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
};

