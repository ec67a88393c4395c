import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile

import pytest

from remediator.errors import ConfigError
from remediator.evidence import Pattern, ScanLimits, Scanner, open_inputs
from remediator.evidence.formats.actions import unwrap
from remediator.evidence.lines import split_lines

TEXT = "calm\nan error here\n" * 3
ERROR = Pattern("error", "error")


def scan(*paths, limits=None):
    return Scanner([ERROR], limits=limits).scan(open_inputs([str(path) for path in paths], limits=limits))


def zstd(data):
    import zstandard

    return zstandard.compress(data)


@pytest.mark.parametrize("squeeze", [lambda d: d, gzip.compress, zstd, bz2.compress, lzma.compress])
def test_compressed_files_are_read_by_their_content_not_their_name(tmp_path, squeeze):
    file = tmp_path / "some.log"
    file.write_bytes(squeeze(TEXT.encode()))
    found = scan(file)
    assert (found.lines, found.bytes, found.hits) == (6, len(TEXT), {"error": 3})
    assert found.notes == ()


def test_a_broken_gzip_ends_with_a_note(tmp_path):
    import random

    noise = "".join(random.Random(1).choices("abcdef 0123\n", k=200_000))
    file = tmp_path / "broken.gz"
    file.write_bytes(gzip.compress(noise.encode())[:-20_000])
    found = scan(file)
    assert 0 < found.bytes < len(noise)
    assert "stopped at byte" in found.notes[0]
    assert found.inputs[0].truncated


def test_a_bomb_is_stopped(tmp_path):
    file = tmp_path / "bomb.gz"
    file.write_bytes(gzip.compress(b"\n" * 30_000_000))
    found = scan(file, limits=ScanLimits(ratio_floor=1_000_000, ratio=100))
    assert found.bytes < 8_000_000
    assert "bomb" in found.notes[0]


def test_an_expansion_has_an_absolute_bound(tmp_path):
    file = tmp_path / "large.gz"
    file.write_bytes(gzip.compress(TEXT.encode() * 100_000))
    found = scan(file, limits=ScanLimits(expanded=1_000_000))
    assert found.bytes <= 1_000_000
    assert any("expansion stopped" in note for note in found.notes)


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in members.items():
            out.writestr(name.replace("__", "/"), text)
    return path


def test_a_run_log_archive_is_read_in_the_order_of_its_jobs(tmp_path):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as out:
        for name in ("10_last.txt", "2_build.txt", "build/1_Set up job.txt", "1_test.txt"):
            out.writestr(name, "an error\n")
    found = scan(tmp_path / "logs.zip")
    assert [report.name.rpartition("/")[2] for report in found.inputs] == ["1_test.txt", "2_build.txt", "10_last.txt"]


def test_step_files_are_read_where_no_job_file_holds_them(tmp_path):
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as out:
        for name in ("build/10_c.txt", "build/9_b.txt", "a/1_x.txt"):
            out.writestr(name, "an error\n")
    assert [r.name.split("logs.zip/")[1] for r in scan(tmp_path / "logs.zip").inputs] == [
        "a/1_x.txt",
        "build/9_b.txt",
        "build/10_c.txt",
    ]


def test_names_that_lead_outside_write_nothing(tmp_path):
    with zipfile.ZipFile(tmp_path / "slip.zip", "w") as out:
        out.writestr("../../evil.log", "an error\n")
        out.writestr("/etc/\x1b[31mcron", "an error\n")
    found = scan(tmp_path / "slip.zip")
    assert found.hits == {"error": 2}
    assert list(tmp_path.iterdir()) == [tmp_path / "slip.zip"]
    assert "\x1b" not in found.inputs[1].name


def test_an_archive_in_an_archive_is_refused(tmp_path):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr("x", "error")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w") as out:
        out.writestr("inner.zip", inner.getvalue())
        out.writestr("rotated.log.gz", gzip.compress(TEXT.encode()))
    found = scan(tmp_path / "outer.zip")
    assert found.hits == {"error": 3}
    assert "archive inside an archive" in found.notes[0]


def test_a_zip_bomb_is_stopped(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("bomb.log", b"\n" * 30_000_000)
    found = scan(tmp_path / "bomb.zip", limits=ScanLimits(ratio_floor=1_000_000, ratio=100))
    assert found.bytes < 8_000_000
    assert any("expansion stopped" in note for note in found.notes)


def test_members_beyond_the_bound_are_noted(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as out:
        for number in range(5):
            out.writestr(f"{number}.log", "error\n")
    found = scan(tmp_path / "many.zip", limits=ScanLimits(archive_members=2))
    assert (len(found.inputs), found.hits) == (2, {"error": 2})
    assert "3 of 5 members" in found.notes[0]


def test_all_members_together_have_a_bound(tmp_path):
    with zipfile.ZipFile(tmp_path / "wide.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for number in range(5):
            out.writestr(f"{number}.txt", TEXT * 10)
    size = len(TEXT) * 10
    found = scan(tmp_path / "wide.zip", limits=ScanLimits(archive_expanded=3 * size))
    assert len(found.inputs) == 3
    assert "2 of 5 members were not read" in " ".join(found.notes)
    with pytest.raises(ConfigError, match="its first file alone"):
        open_inputs([str(tmp_path / "wide.zip")], limits=ScanLimits(archive_expanded=size - 1))


def test_a_symbolic_link_in_an_archive_is_not_read(tmp_path):
    link = zipfile.ZipInfo("passwd.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as out:
        out.writestr(link, "/etc/passwd error")
        out.writestr("a.txt", TEXT)
    found = scan(tmp_path / "link.zip")
    assert [one.source for one in found.statements if "passwd" in one.text] == []
    assert "symbolic link" in " ".join(found.notes)


def test_a_support_bundle_as_tar(tmp_path):
    with tarfile.open(tmp_path / "bundle.tar.gz", "w:gz") as out:
        info = tarfile.TarInfo("namespaces/shop/pods/web-0/app/app/logs/current.log")
        info.size = len(TEXT)
        out.addfile(info, io.BytesIO(TEXT.encode()))
        link = tarfile.TarInfo("evil")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    found = scan(tmp_path / "bundle.tar.gz")
    assert len(found.inputs) == 1
    assert (found.statements[0].subject.namespace, found.statements[0].subject.container) == ("shop", "app")


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 no zip at all"])
def test_what_cannot_be_read_says_so(tmp_path, content):
    file = tmp_path / "x.zip"
    if content:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"x\.zip"):
        open_inputs([str(file)])


def test_a_directory_is_no_input(tmp_path):
    with pytest.raises(ConfigError, match="directory"):
        open_inputs([str(tmp_path)])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-8", "latin-1"])
def test_encodings(tmp_path, encoding):
    file = tmp_path / "x.log"
    file.write_bytes("an error: grün\r\n".encode(encoding))
    (found,) = scan(file).statements
    assert (found.line, found.text.startswith("an error: gr")) == (1, True)


def test_a_binary_is_not_read(tmp_path):
    file = tmp_path / "x.bin"
    file.write_bytes(bytes(range(256)) * 4 + b"\x00" * 4096 + b"error")
    found = scan(file)
    assert (found.bytes, found.statements) == (0, ())
    assert "binary" in found.notes[0]


def test_bytes_of_no_text_are_told_from_text_in_any_encoding(tmp_path):
    noise = hashlib.shake_128(b"noise").digest(50_000)
    (tmp_path / "x.bin").write_bytes(noise)
    found = scan(tmp_path / "x.bin")
    assert (found.bytes, len(found.notes)) == (0, 1)
    words = "\x1b[31m오류: 메모리 부족\x1b[0m\tошибка\n" * 50
    for encoding in ("utf-8", "euc-kr", "utf-16"):
        (tmp_path / encoding).write_bytes(words.replace("ошибка", "error").encode(encoding))
        assert scan(tmp_path / encoding).bytes, encoding


def test_a_runners_time_stamps_and_commands_come_off():
    text = (
        "2024-01-01T00:00:00.0000000Z ##[group]Run kubectl get events -n shop\n"
        "2024-01-01T00:00:01.0000000Z LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n"
        "2024-01-01T00:00:01.1000000Z 2m          Warning   BackOff   pod/web-0   Back-off restarting failed container app in pod web-0_shop(0b7a8f0e-2a56-4b7a-9c36-5f70a1a8f6c1)\n"
        "2024-01-01T00:00:02.0000000Z ##[error]Process completed with exit code 1.\n"
    )
    lines, _ = split_lines(text, limit=1000)
    assert [line.text[:20] for line in unwrap(lines)][1:] == [
        "LAST SEEN   TYPE    ",
        "2m          Warning ",
        "Process completed wi",
    ]
    from remediator.evidence import text_input

    event, ended = Scanner([ERROR]).scan([text_input("run", text)]).statements
    assert (event.subject.name, event.subject.namespace, event.subject.container, event.line) == (
        "web",
        "shop",
        "app",
        3,
    )
    assert (ended.level, ended.facts["exit_code"], ended.first_seen) == ("error", "1", "2024-01-01T00:00:02Z")
