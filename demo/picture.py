"""Draws rows of an asciicast as SVG: `python picture.py CAST FIRST LAST PICTURE`.

LAST is in the last row that is shown, the first of its kind; FIRST is in the first row, the nearest one above.
"""

import json
import re
import sys
from html import escape

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.4, 19, 20
PAPER, INK = "#16191f", "#d5d9e0"
COLOURS = {1: "#f47067", 2: "#8ddb8c", 3: "#e3b566", 6: "#6cc7d6", 12: "#78b0f5", 13: "#c99bf0"}
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m|(\x1b)")


def main():
    cast, first, last, picture = sys.argv[1:]
    with open(cast, encoding="utf-8") as lines:
        header, *events = [json.loads(line) for line in lines]
    rows = list(screen_rows("".join(text for _, _, text in events), header["width"]))
    end = place(last, rows)
    start = end - place(first, rows[end::-1])
    with open(picture, "w", encoding="utf-8") as out:
        out.write(svg(rows[start : end + 1], header["width"]))


def place(wanted, rows):
    for number, row in enumerate(rows):
        if wanted in "".join(char for char, _ in row):
            return number
    sys.exit(f'the recording has no row with "{wanted}" where it should be')


def screen_rows(text, width):
    """The rows as a terminal shows them, each a list of characters with their style."""
    style = (None, False)
    for line in text.replace("\r\n", "\n").split("\n"):
        row = []
        for piece, codes in pieces(line):
            style = style if codes is None else styled(style, codes)
            for char in piece:
                row.extend([(" ", style)] * (8 - len(row) % 8) if char == "\t" else [(char, style)])
        yield from (row[start : start + width] for start in range(0, max(len(row), 1), width))


def pieces(line):
    """Text as it is, and between the pieces what changes the style."""
    at = 0
    for found in ESCAPE.finditer(line):
        if found[2]:
            sys.exit(f"what does a terminal do with {line[found.start() : found.start() + 10]!r}?")
        yield line[at : found.start()], None
        yield "", found[1] or "0"
        at = found.end()
    yield line[at:], None


def styled(style, codes):
    colour, bold = style
    if number := re.fullmatch(r"38;5;(\d+)", codes):
        return int(number[1]), bold
    for code in map(int, codes.split(";")):
        if code == 0:
            colour, bold = None, False
        elif code == 1:
            bold = True
        elif 30 <= code <= 37:
            colour = code - 30
        else:
            sys.exit(f"no picture is made of the style {codes}")
    return colour, bold


def svg(rows, width):
    wide, high = width * CELL_WIDTH + 2 * MARGIN, len(rows) * CELL_HEIGHT + 2 * MARGIN
    texts = "\n".join(run for n, row in enumerate(rows) for run in runs(row, MARGIN + n * CELL_HEIGHT + 14))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}"'
        f' font-family="{FONT}" font-size="14" fill="{INK}">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n{texts}\n</svg>\n'
    )


def runs(row, y):
    """One text for each run of one style, stretched to its cells, so that columns stand whatever font there is."""
    start = 0
    while start < len(row):
        end = next((n for n in range(start, len(row)) if row[n][1] != row[start][1]), len(row))
        text, (colour, bold) = "".join(char for char, _ in row[start:end]), row[start][1]
        if text.strip():
            yield (
                f'<text x="{MARGIN + start * CELL_WIDTH:g}" y="{y}" textLength="{(end - start) * CELL_WIDTH:g}" xml:space="preserve"'
                + (f' fill="{COLOURS[colour]}"' if colour is not None else "")
                + (' font-weight="bold"' if bold else "")
                + f">{escape(text, quote=False)}</text>"
            )
        start = end


main()
