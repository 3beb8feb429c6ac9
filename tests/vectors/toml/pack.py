"""Packs toml-test cases into toml_test.json: pack.py <dir of github.com/BurntSushi/toml>."""
import json, os, sys

root = os.path.join(sys.argv[1], "internal/toml-test/tests")
NOT_TOML_1_0 = {
    "valid/string/escape-esc", "valid/string/hex-escape",
    "invalid/string/bad-hex-esc", "valid/datetime/no-seconds",
    "valid/inline-table/newline",
}
# Groups about where keys may stand, and times; what a value may look like is the matter of @std/toml.
STRUCTURE = {
    "array", "datetime", "inline-table", "key", "local-date",
    "local-datetime", "local-time", "table",
}
valid, invalid, left_out = [], [], []
for folder, _, files in sorted(os.walk(root)):
    for file in sorted(files):
        path = os.path.join(folder, file)
        name = os.path.relpath(path, root)[:-5]
        if not file.endswith(".toml") or name in NOT_TOML_1_0:
            continue
        try:
            text = open(path, "rb").read().decode("utf-8")
        except UnicodeDecodeError:
            left_out.append(name)
            continue
        if name.startswith("invalid/"):
            if name.split("/")[1] in STRUCTURE:
                invalid.append({"name": name, "toml": text})
            continue
        expected = json.load(open(path[:-5] + ".json"))
        if any(t in json.dumps(expected) for t in ('"datetime', '"date-local', '"time-local')):
            left_out.append(name)
        else:
            valid.append({"name": name, "toml": text, "json": expected})
out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "toml_test.json")
with open(out, "w") as file:
    json.dump({"valid": valid, "invalid": invalid, "left_out": left_out}, file, indent=1)
print(len(valid), "valid", len(invalid), "invalid", len(left_out), "left out")
