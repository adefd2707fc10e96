"""What is left of lanes where a page takes markup away that it does not trust."""

import re
from pathlib import Path

import bleach

GOLDEN = Path(__file__).parents[2] / "kernel/lanes/tests/golden/timers.html"
# Of the list of GitHub's html-pipeline (`SanitizationFilter`): what a picture needs, and no style or class.
TAGS = {"div", "details", "summary", "img", "p", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"*": ["align", "alt", "height", "open", "width"], "img": ["src"]}


def test_the_still_picture_is_left_without_styles_and_scripts():
    whole = GOLDEN.read_text()
    left = bleach.clean(whole, tags=TAGS, attributes=ATTRIBUTES, protocols={"data", "https"}, strip=True)
    assert "script" in whole and "style=" in whole
    assert not re.search(r"<script|style=|class=|data-", re.sub(r'src="[^"]*"', "", left))
    [image] = re.findall(r"<img [^>]*>", left)
    # The picture itself, letter by letter, and the words for it.
    assert re.search(r'src="data:image/svg\+xml;base64,[^"]+"', whole)[0] in image
    assert re.search(r'alt="Lanes: [^"]+"', image)
    # It opens by a click, as everywhere; below it is what happened step by step.
    outline = re.findall(r"<(details|summary|img|table|/table|/details)\b", left)
    assert outline == ["details", "summary", "img", "details", "summary", "table", "/table", "/details", "/details"]
    assert left.count("<tr>") == whole.count("<tr")
