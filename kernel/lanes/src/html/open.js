{
// Lanes that grow are drawn anew each time, and once more at the end: whether they are open is up to
// whoever looks at them. The page remembers it, by the name of the output.
const open = (globalThis.interleaveLanes ??= new Map());
for (const root of document.querySelectorAll(".interleave-lanes[data-shown]")) {
  if (root.dataset.isKept) continue;
  root.dataset.isKept = "true";
  const { shown } = root.dataset;
  const details = root.querySelector("details");
  if (open.has(shown)) details.open = open.get(shown);
  else if (!root.dataset.lanes) open.set(shown, details.open);
  details.addEventListener("toggle", () => root.isConnected && open.set(shown, details.open));
}
}
