import io
import random

import pytest

from remediator.evidence import Pattern, ScanLimits, Scanner, open_inputs, text_input
from remediator.evidence.windows import Search, WindowPlan

PATTERNS = [Pattern("boom", "boom"), Pattern("quoted", 'exec: "[^"]+"'), Pattern("anchored", "^rare$")]


def long_log(lines=4000, seed=1):
    chosen = random.Random(seed)
    words = ["calm line", "still calm", "INFO fine"]
    out = [f"{chosen.choice(words)} {chosen.randrange(10 ** chosen.randrange(1, 40))}" for _ in range(lines)]
    for at in range(50, lines, 397):
        out[at] = f"ERROR boom {at}"
    out[lines // 2] = "rare"
    return out


def search(text, **plan):
    found = Search(WindowPlan(("boom", "^rare$"), **plan))
    return list(found.windows(io.BytesIO(text.encode()).readinto)), found.tally


@pytest.mark.parametrize("block", [256, 1000, 4096, 1 << 20])
@pytest.mark.parametrize("end", ["\n", ""])
def test_numbers_and_counts_do_not_depend_on_the_block(block, end):
    lines = long_log()
    windows, tally = search("\n".join(lines) + end, block=block, before=2, after=2)
    assert tally.lines == len(lines)
    assert tally.bytes == len("\n".join(lines) + end)
    assert tally.hits == {0: sum("boom" in line for line in lines), 1: 1}
    hit = {no for window in windows for no in window.hits}
    assert hit == {no for no, line in enumerate(lines, 1) if "boom" in line or line == "rare"}


@pytest.mark.parametrize("block", [512, 4096, 1 << 20])
def test_windows_hold_their_lines_under_true_numbers_and_never_twice(block):
    lines = long_log()
    windows, _ = search("\n".join(lines) + "\n", block=block, before=3, after=3)
    seen = []
    for window in windows:
        for no, text in enumerate(window.text.decode().rstrip("\n").split("\n"), window.first):
            assert text == lines[no - 1]
            seen.append(no)
    assert len(seen) == len(set(seen))


def test_a_table_after_its_marker_is_kept_without_any_hit():
    table = "LAST SEEN   TYPE     REASON   OBJECT      MESSAGE\n2m          Normal   Pulled   pod/web-0   fine\n\n"
    limits = ScanLimits(whole_bytes=1000)
    scan = Scanner(PATTERNS, limits=limits).scan([text_input("log", "x\n" * 5000 + table + "x\n" * 5000)])
    (event,) = scan.statements
    assert (event.line, event.reason) == (5002, "Pulled")


def test_a_long_log_is_about_the_container_of_the_last_command():
    text = "$ kubectl logs web-0 -n shop -c app\n" + "calm\n" * 5000 + "ERROR boom\n" + "calm\n" * 5000
    (found,) = Scanner(PATTERNS, limits=ScanLimits(whole_bytes=1000)).scan([text_input("log", text)]).statements
    assert (found.line, found.subject.name, found.subject.container) == (5002, "web", "app")


def test_late_rare_hits_survive_early_dense_ones():
    text = "ERROR boom\n" * 20_000 + "rare\n" + "boom at last\n"
    scan = Scanner(PATTERNS, limits=ScanLimits(whole_bytes=1000, per_pattern=20)).scan([text_input("log", text)])
    assert scan.hits == {"boom": 20_001, "anchored": 1}
    assert {s.text for s in scan.statements} == {"ERROR boom", "rare", "boom at last"}
    assert "counted, not kept" in scan.notes[0]


def test_messages_are_found_through_the_escapes_of_json():
    line = r'{"level":"error","msg":"exec: \"wge\": not found"}' + "\n"
    for filler in ("", "calm\n" * 5000):
        scan = Scanner(PATTERNS, limits=ScanLimits(whole_bytes=1000)).scan([text_input("log", filler + line)])
        assert scan.hits == {"quoted": 1}


def test_one_line_longer_than_any_block():
    text = "x" * 50_000 + " boom " + "y" * 50_000 + " boom " + "z" * 10_000 + "\nnext boom\n"
    windows, tally = search(text, block=4096)
    assert (tally.lines, tally.bytes, tally.hits) == (2, len(text), {0: 2})
    assert all(len(window.text) < 8192 for window in windows)
    assert {no for window in windows for no in window.hits} == {1, 2}


def test_windows_line_ends_and_colours():
    text = "calm\r\n" * 5000 + "\x1b[31mrare\x1b[0m\r\n"
    scan = Scanner(PATTERNS, limits=ScanLimits(whole_bytes=1000)).scan([text_input("log", text)])
    assert scan.hits == {"anchored": 1}
    assert [(s.line, s.text) for s in scan.statements] == [(5001, "rare")]


def test_a_file_is_the_same_in_parts_and_as_a_whole(tmp_path, monkeypatch):
    from remediator.evidence import long_inputs

    file = tmp_path / "long.log"
    file.write_text("\n".join(long_log(20_000)) + "\n")
    limits = ScanLimits(whole_bytes=1000, per_pattern=1000)
    whole = Scanner(PATTERNS, limits=limits).scan(open_inputs([str(file)]))
    monkeypatch.setattr(long_inputs, "_PART", 100_000)
    monkeypatch.setattr(long_inputs.os, "cpu_count", lambda: 3)
    assert len(long_inputs.parts(str(file))) == 3
    parts = Scanner(PATTERNS, limits=limits).scan(open_inputs([str(file)]))
    assert (parts.lines, parts.bytes, parts.hits) == (whole.lines, whole.bytes, whole.hits)
    assert [(s.line, s.count, s.text) for s in parts.statements] == [
        (s.line, s.count, s.text) for s in whole.statements
    ]


def test_without_processes_a_file_is_read_in_this_one(tmp_path, monkeypatch):
    from remediator.evidence import long_inputs

    file = tmp_path / "long.log"
    file.write_text("\n".join(long_log(20_000)) + "\n")
    monkeypatch.setattr(long_inputs, "_PART", 100_000)
    monkeypatch.setattr(long_inputs.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(long_inputs.sys, "executable", "/nowhere/python")
    scan = Scanner(PATTERNS, limits=ScanLimits(whole_bytes=1000)).scan(open_inputs([str(file)]))
    assert scan.lines == 20_000


@pytest.mark.slow
def test_a_gigabyte_in_one_line_stays_in_memory_bounds(tmp_path):
    import subprocess
    import sys

    file = tmp_path / "line.log"
    with file.open("wb") as out:
        for _ in range(1024):
            out.write(b"x" * (1 << 20))
        out.write(b" boom")
    program = (
        "import resource, sys\n"
        "from remediator.evidence import Pattern, Scanner, open_inputs\n"
        "scan = Scanner([Pattern('boom', 'boom')]).scan(open_inputs(sys.argv[1:]))\n"
        "print(scan.lines, scan.hits, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(file)], capture_output=True, text=True, check=True)
    lines, hits, megabytes = (
        done.stdout.split(" ", 1)[0],
        done.stdout[done.stdout.index("{") : done.stdout.index("}") + 1],
        int(done.stdout.split()[-1]),
    )
    assert (lines, hits) == ("1", "{'boom': 1}")
    assert megabytes < 200
