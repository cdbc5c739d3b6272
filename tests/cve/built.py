"""built.py - take apart what `hotpatch build --json` printed.

python3 built.py DIR: DIR/build is read; written are, one a line, DIR/functions (all functions), DIR/replaced (those that
replace one of the program), DIR/notes and DIR/refused ("CODE: text").
"""
import json
import os
import sys


def main(directory):
    with open(os.path.join(directory, "build")) as file:
        built = json.load(file)

    def write(name, lines):
        with open(os.path.join(directory, name), "w") as file:
            file.writelines(line + "\n" for line in lines)

    functions = built.get("functions", [])
    write("functions", [row["name"] for row in functions])
    write("replaced", [row["name"] for row in functions if row["replaces"]])
    write("notes", [note for note in built.get("notes", []) if "ignored" not in note])
    write("refused", [f"{row['code']}: {row['text']}" for row in built.get("errors", [])])


main(sys.argv[1])
