"""wrap_all.py - from `hotpatch slots --json` of a program, a patch that wraps each of its functions.

    wrap_all.py OBJECT <SLOTS >all.c

Static functions are named by their places, and so is every part that the compiler put elsewhere.
What is wrapped goes on to its original at once, whatever its parameters are.
"""
import json
import sys

print("#include <hotpatch.h>\n\nHOTPATCH_MODULE(\"all\", \"1\");\n")
slots = [slot for slot in json.load(sys.stdin)["slots"] if slot["object"] == sys.argv[1]]
for number, slot in enumerate(slot for slot in slots if slot["patchable"]):
    print(f"__attribute__((naked)) static void hotpatch_replacement_f{number}(void);\n"
          f"HOTPATCH_REPLACE_AS(void, f{number}, (void), \"exe+{slot['offset']:#x}\")\n"
          f"{{\n    __asm__(\"jmp *hotpatch_original_f{number}(%rip)\");\n}}\n")
