"""touched.py - the functions that a patch touches.

python3 touched.py OLD NEW FILE...: one line "FILE:FUNCTION" for each function of the FILEs below the trees OLD and NEW
with a line that is in one tree and not in the other. A function starts at a line in column 0 that has an opening
parenthesis and no semicolon, and ends at a closing brace in column 0.
"""
import os
import re
import subprocess
import sys

HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
HEAD = re.compile(r"(?!(?:typedef|extern)\b)[A-Za-z_].*?(\w+) ?\(")
WORDS = {"if", "for", "while", "switch", "return", "sizeof", "__attribute__", "defined"}


def changed_lines(old, new):
    """The line numbers of old that are not in new, and those of new that are not in old."""
    diff = subprocess.run(["diff", "-U0", old, new], capture_output=True, text=True, errors="replace", check=False)
    gone, come = set(), set()
    for found in map(HUNK.match, diff.stdout.splitlines()):
        if found:
            gone |= set(range(int(found[1]), int(found[1]) + int(found[2] or 1)))
            come |= set(range(int(found[3]), int(found[3]) + int(found[4] or 1)))
    return gone, come


def functions(path):
    """(first line, last line, name) of each function."""
    head = None
    inside = False
    with open(path, errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            if inside:
                if line.startswith("}"):
                    yield start, number, head
                    inside, head = False, None
                continue
            found = HEAD.match(line)
            if found and found[1] not in WORDS:
                head, start = found[1], number
            if head and ";" in line and "{" not in line and not line[:1].isspace():
                head = None
            if head and "{" in line and not line.startswith("#"):
                inside = not line.rstrip().endswith("}")


def main(old, new, *files):
    for name in files:
        paths = [os.path.join(tree, name) for tree in (old, new)]
        if not all(map(os.path.exists, paths)):
            continue
        names = {}
        for path, lines in zip(paths, changed_lines(*paths)):
            for first, last, function in functions(path):
                if any(first <= line <= last for line in lines):
                    names[function] = None
        for function in names:
            print(f"{name}:{function}")


main(*sys.argv[1:])
