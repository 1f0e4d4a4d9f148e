"""Finding model files where people and other programs put them."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_ext.catalog import gguf, reading, tree
from llm_ext.catalog.entry import ModelEntry
from llm_ext.catalog.scan import BUNDLED, Scan, StoppedError
from llm_ext.core.settings import ModelSource, Settings
from llm_ext.store.database import Database
from tests.models.raw_gguf import RawTensor, llama, raw, write
from tests.models.stores import (
    adapter,
    add_to_hub_cache,
    add_to_ollama,
    model,
    projector,
)

Looks = Callable[[], dict[str, ModelEntry]]
COMMIT, OLDER = "a" * 40, "b" * 40


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder: nothing of the machine's is found."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable in (
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HOME",
        "XDG_CACHE_HOME",
        "OLLAMA_MODELS",
    ):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's model folder."""
    own = tmp_path / "models"
    own.mkdir()
    return own


def scan(
    folder: Path, *sources: ModelSource, aliases: dict[str, str] | None = None
) -> Scan:
    data = folder.parent / "data"
    settings = Settings(
        model_folders=(folder, folder.parent / "missing"),
        data_folder=data,
        model_sources=sources,
        aliases=aliases or {},
    )
    return Scan(settings, Database(data / "db.sqlite3"))


def look(scan: Scan) -> dict[str, ModelEntry]:
    """Return what is found, without what comes with the package."""
    return {one.id: one for one in scan.look() if one.source != "bundled"}


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_models_are_found_in_folders_and_below(own: Path) -> None:
    """The user's own come first, the bundled ones last; other files are left alone."""
    write(own / "deep" / "er" / "B_Model.gguf")
    write(own / "a.GGUF")
    write(own / ".hidden" / "c.gguf")
    (own / "._a.gguf").write_bytes(b"of a Mac")
    (own / "notes.txt").write_text("no")
    (own / "folder.gguf").mkdir()
    os.mkfifo(own / "pipe.gguf")
    (own / "nowhere.gguf").symlink_to(own / "none")

    entries = scan(own).look()

    assert [one.id for one in entries if one.source != "bundled"] == ["a", "b-model"]
    assert [one.path.parent for one in entries if one.source == "bundled"] == [BUNDLED]
    assert entries[-1].source == "bundled"
    entry = entries[1]
    assert entry.name == "B_Model"
    assert entry.facts is not None
    assert entry.facts.architecture == "llama"
    assert entry.aliases == ("hf:deep/er:B_Model.gguf",)


def test_links_are_followed_once(own: Path, tmp_path: Path) -> None:
    """A folder that leads to itself ends nothing, and no file is there twice."""
    write(own / "a.gguf")
    (own / "again.gguf").hardlink_to(own / "a.gguf")
    (own / "link.gguf").symlink_to(own / "a.gguf")
    (own / "cycle").symlink_to(own)
    (own / "self").symlink_to(own / "self")
    write(tmp_path / "elsewhere" / "b.gguf")
    (own / "elsewhere").symlink_to(tmp_path / "elsewhere")
    assert list(look(scan(own))) == ["a", "b"]


def test_too_many_folders_are_told(
    own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and what lies in the first of them is found."""
    monkeypatch.setattr(tree, "MAX_FOLDERS", 3)
    write(own / "a.gguf")
    for number in range(5):
        (own / f"{number}").mkdir()
    looks = scan(own)
    for _ in range(2):
        assert list(look(looks)) == ["a"]
    assert caplog.text.count("more than 3 folders") == 1


def test_names_that_are_no_text_are_left_out(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """They cannot be listed in JSON, nor remembered: one of them spoils no other."""
    write(own / "good.gguf")
    bad = os.fsdecode(b"bad\xff")
    put(own / f"{bad}.gguf", model())
    put(own / bad / "deep.gguf", model())
    looks = scan(own)
    for _ in range(2):
        assert list(look(looks)) == ["good"]
    assert caplog.text.count("not UTF-8") == 1


def test_one_bad_file_harms_nothing(own: Path) -> None:
    """It is listed with its problem."""
    (own / "bad.gguf").write_bytes(b"nope")
    write(own / "good.gguf")
    (own / "cut.gguf").write_bytes(model()[:-40])
    found = look(scan(own))
    assert "not a GGUF file" in str(found["bad"].problem)
    assert "incomplete" in str(found["cut"].problem)
    assert found["good"].problem is None
    assert found["bad"].facts is None


def test_numbers_beyond_all_models_harm_nothing(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their products would not fit where what was read is remembered."""
    values = {
        key.replace("llama.", "minimax-01."): value for key, value in llama().items()
    }
    values |= {
        "general.architecture": "minimax-01",
        "minimax-01.attention.head_count": 2**32 - 1,
        "minimax-01.attention.key_length": 2**32 - 1,
    }
    put(own / "hostile.gguf", raw(values))
    write(own / "good.gguf")
    found = look(scan(own))
    assert "more than llama.cpp can count" in str(found["hostile"].problem)
    assert found["good"].problem is None
    monkeypatch.setattr(reading, "read", None)  # nothing is read again
    assert look(scan(own)) == found


def test_what_cannot_be_read_now_is_tried_again(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not be read says nothing that would have to be remembered."""
    path = write(own / "a.gguf")
    looks = scan(own)

    def refuse(_self: Path, *_mode: object, **_options: object) -> object:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert "Permission denied" in str(look(looks)["a"].problem)
    path.chmod(0o600)
    assert look(looks)["a"].problem is None


def parts(folder: Path, *numbers: int, count: int = 3) -> None:
    for number in numbers:
        values = llama(layers=3) if number == 1 else {"split.no": number - 1}
        tensors = [RawTensor(f"blk.{number - 1}.attn_q.weight")]
        name = f"Big-Q8_0-{number:05}-of-{count:05}.gguf"
        put(folder / name, raw(values, tensors))


def test_a_split_model_is_one(own: Path) -> None:
    """Its tensors are in all of its files."""
    parts(own, 3, 1, 2)
    (entry,) = look(scan(own)).values()
    assert (entry.id, entry.name) == ("big-q8-0", "Big-Q8_0")
    assert entry.path == entry.parts[0]
    assert [path.name[9:14] for path in entry.parts] == ["00001", "00002", "00003"]
    assert entry.size == sum(path.stat().st_size for path in entry.parts)
    assert entry.problem is None
    assert entry.facts is not None
    assert [layer.weights for layer in entry.facts.layers] == [64, 64, 64]


def test_a_missing_part_is_named(own: Path) -> None:
    """The model can be used when it arrives."""
    parts(own, 1, 3)
    looks = scan(own)
    assert "Big-Q8_0-00002-of-00003.gguf" in str(look(looks)["big-q8-0"].problem)
    parts(own, 2)
    assert look(looks)["big-q8-0"].problem is None


def test_a_claim_of_many_parts_costs_little(own: Path) -> None:
    """The message names the first ones only."""
    put(own / "x-00001-of-99999.gguf", model())
    put(own / "y-00009-of-00003.gguf", model())
    found = look(scan(own))
    assert len(str(found["x"].problem)) < 300
    assert "99998 of its 99999 parts" in str(found["x"].problem)
    assert found["y-00009-of-00003"].problem is None


def test_projectors_and_adapters_are_no_models(own: Path) -> None:
    """A projector belongs to the models beside it whose width it has."""
    put(own / "one" / "seer-4b-Q4_0.gguf", model())
    put(own / "one" / "mmproj-seer-4b-f16.gguf", projector())
    put(own / "one" / "mmproj-other-7b-f16.gguf", projector())
    put(own / "two" / "blind.gguf", model())
    put(own / "two" / "mmproj-wide.gguf", projector(width=128))
    put(own / "two" / "mmproj-broken.gguf", b"nope")
    put(own / "three" / "deaf.gguf", model())
    put(own / "three" / "vision.gguf", projector(sees=False))
    put(own / "lora.gguf", adapter())
    found = look(scan(own))
    assert set(found) == {"seer-4b-q4-0", "blind", "deaf"}
    seer = found["seer-4b-q4-0"]
    assert seer.projector == own / "one" / "mmproj-seer-4b-f16.gguf"
    assert seer.size == sum(path.stat().st_size for path in (seer.path, seer.projector))
    assert seer.facts is not None
    assert "vision" in seer.facts.capabilities
    assert found["blind"].projector is None
    assert found["deaf"].projector == own / "three" / "vision.gguf"
    assert found["deaf"].facts is not None
    assert "vision" not in found["deaf"].facts.capabilities


def test_the_hub_cache_is_read_at_the_revision_of_main(own: Path, home: Path) -> None:
    """What only an older revision has is found too, by that revision."""
    hub = home / ".cache" / "huggingface" / "hub"
    old = {"a.gguf": model("old"), "gone.gguf": model("gone")}
    new = {"a.gguf": model("new"), "Q8/b.gguf": model("b"), "x.txt": b""}
    add_to_hub_cache(hub, "Org/Repo-GGUF", OLDER, old, ref=None)
    add_to_hub_cache(hub, "Org/Repo-GGUF", COMMIT, new)
    add_to_hub_cache(hub, "gpt2", COMMIT, {"g.gguf": model("g")})
    found = look(scan(own, "huggingface"))
    assert set(found) == {"a", "b", "gone", "g"}
    assert {one.source for one in found.values()} == {"huggingface"}
    assert found["a"].facts is not None
    assert found["a"].facts.name == "new"
    assert found["a"].aliases == ("hf:Org/Repo-GGUF:a.gguf",)
    assert found["b"].aliases == ("hf:Org/Repo-GGUF:Q8/b.gguf",)
    assert found["gone"].aliases == (f"hf:Org/Repo-GGUF@{OLDER}:gone.gguf",)
    assert found["g"].aliases == ()


@pytest.mark.parametrize(
    ("variable", "below"), [("HF_HUB_CACHE", ""), ("HF_HOME", "hub")]
)
def test_the_hub_cache_is_where_its_variables_say(
    own: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    below: str,
) -> None:
    """As huggingface_hub reads them."""
    monkeypatch.setenv(variable, str(tmp_path / "there"))
    hub = tmp_path / "there" / below
    add_to_hub_cache(hub, "Org/Repo", COMMIT, {"a.gguf": model()})
    assert set(look(scan(own, "huggingface"))) == {"a"}
    assert look(scan(own)) == {}


def test_ollamas_store_is_read_by_its_manifests(own: Path, home: Path) -> None:
    """Names are Ollama's; what is no model, or not here, is left out."""
    store = home / ".ollama" / "models"
    add_to_ollama(store, "llama3.2", "3b", model=model("l"))
    add_to_ollama(store, "llama3.2", "latest", model=model("l"))
    add_to_ollama(store, "seer", "4b", model=model("s"), projector=projector())
    add_to_ollama(store, "tuned", "x", namespace="me", model=model("t"), adapter=b"1")
    add_to_ollama(
        store, "R-GGUF", "Q8_0", host="hf.co", namespace="Org", model=model("h")
    )
    add_to_ollama(store, "empty", "x")
    library = store / "manifests" / "registry.ollama.ai" / "library"
    put(library / "bad" / "x", b"{")
    evil = b'{"layers":[{"mediaType":"application/vnd.ollama.image.model",'
    put(library / "evil" / "x", evil + b'"digest":"sha256:../../../etc/passwd"}]}')
    put(library / "list" / "x", b'{"layers":null}')
    found = look(scan(own, "ollama"))
    assert set(found) == {
        "llama3-2-3b",
        "seer-4b",
        "me-tuned-x",
        "hf-co-org-r-gguf-q8-0",
    }
    llama3 = found["llama3-2-3b"]
    assert (llama3.name, llama3.source) == ("llama3.2:3b", "ollama")
    assert set(llama3.aliases) == {"llama3.2:3b", "llama3.2:latest", "llama3.2"}
    assert found["seer-4b"].projector is not None
    assert found["seer-4b"].facts is not None
    assert "vision" in found["seer-4b"].facts.capabilities
    assert "adapter" in str(found["me-tuned-x"].problem)
    hub = found["hf-co-org-r-gguf-q8-0"]
    assert "hf:Org/R-GGUF:Q8_0" in hub.aliases


@pytest.mark.parametrize("adapted", ["adapted", "zadapted"])
def test_a_model_that_needs_an_adapter_is_not_the_one_it_is_made_from(
    own: Path, home: Path, adapted: str
) -> None:
    """They share a file of weights, and yet answer otherwise; whichever comes first."""
    store = home / ".ollama" / "models"
    add_to_ollama(store, "llama3.2", "latest", model=model("l"))
    add_to_ollama(store, adapted, "latest", model=model("l"), adapter=b"1")
    found = look(scan(own, "ollama"))
    assert set(found) == {"llama3-2-latest", f"{adapted}-latest"}
    assert found["llama3-2-latest"].problem is None
    assert found["llama3-2-latest"].aliases == ("llama3.2:latest", "llama3.2")
    assert "adapter" in str(found[f"{adapted}-latest"].problem)


def test_ollamas_store_is_where_its_variable_says(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of all usual places."""
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "there"))
    add_to_ollama(tmp_path / "there", "a", "x", model=model())
    assert set(look(scan(own, "ollama"))) == {"a-x"}


def test_lm_studios_folders_are_read(own: Path, home: Path) -> None:
    """Where it keeps them now, and where it did before."""
    put(home / ".lmstudio/models/Org/Repo-GGUF/a.gguf", model("a"))
    put(home / ".cache/lm-studio/models/Org/Old-GGUF/b.gguf", model("b"))
    found = look(scan(own, "lmstudio"))
    assert {one.source for one in found.values()} == {"lmstudio"}
    assert found["a"].aliases == ("hf:Org/Repo-GGUF:a.gguf",)
    assert found["b"].aliases == ("hf:Org/Old-GGUF:b.gguf",)


def test_other_programs_stores_are_not_written_to(own: Path, home: Path) -> None:
    """Not a byte, and no lock."""
    hub = home / ".cache" / "huggingface" / "hub"
    add_to_hub_cache(hub, "Org/Repo", COMMIT, {"a.gguf": model("a")})
    add_to_ollama(home / ".ollama" / "models", "b", "x", model=model("b"))
    put(home / ".lmstudio/models/Org/Repo/c.gguf", model("c"))

    def everything() -> list[tuple[str, int]]:
        return sorted((str(p), p.lstat().st_mtime_ns) for p in home.rglob("*"))

    before = everything()
    assert len(look(scan(own, "huggingface", "ollama", "lmstudio"))) == 3
    assert everything() == before


def test_a_file_in_two_places_is_one_model(own: Path, home: Path) -> None:
    """It answers to what both call it."""
    put(home / ".lmstudio/models/Org/Repo/a.gguf", model())
    (own / "mine.gguf").symlink_to(home / ".lmstudio/models/Org/Repo/a.gguf")
    (entry,) = look(scan(own, "lmstudio")).values()
    assert (entry.id, entry.source) == ("mine", "folder")
    assert entry.aliases == ("hf:Org/Repo:a.gguf",)


def test_ids_stay_while_files_come_and_go(own: Path) -> None:
    """The one that has an id keeps it; another gets one that its path decides."""
    write(own / "b" / "m.gguf")
    looks = scan(own)
    assert list(look(looks)) == ["m"]
    write(own / "a" / "m.gguf")
    second = look(looks)
    assert second["m"].path.parent.name == "b"
    (other,) = set(second) - {"m"}
    assert other.startswith("m-")
    (own / "b" / "m.gguf").unlink()
    assert list(look(looks)) == [other]
    write(own / "b" / "m.gguf")
    assert set(look(looks)) == {"m", other}


def test_a_file_that_is_moved_keeps_its_id(own: Path) -> None:
    """Its name is what gives it."""
    path = write(own / "a" / "m.gguf")
    looks = scan(own)
    look(looks)
    path.rename(own / "m.gguf")
    assert list(look(looks)) == ["m"]


def test_names_that_mean_workers_or_nothing_become_ids(own: Path) -> None:
    """Whatever a file is called, it can be asked for."""
    write(own / "w3.gguf")
    write(own / "???.gguf")
    assert set(look(scan(own))) == {"model", "model-w3"}


def test_a_look_without_changes_gives_the_same_object(own: Path) -> None:
    """So that nobody compares entries."""
    write(own / "a.gguf")
    looks = scan(own)
    assert looks.look() is looks.look()


def test_a_growing_file_is_not_read(own: Path) -> None:
    """It is no damaged one: somebody is writing to it."""
    whole = model()
    path = put(own / "a.gguf", whole[:100])
    looks = scan(own)
    assert "still being written" in str(look(looks)["a"].problem)
    put(path, whole[:200])
    found = look(looks)["a"]
    assert "200 bytes so far" in str(found.problem)
    put(path, whole)
    assert "so far" in str(look(looks)["a"].problem)
    assert look(looks)["a"].problem is None
    os.utime(path)
    assert "so far" in str(look(looks)["a"].problem)
    assert look(looks)["a"].facts is not None


def test_what_was_read_is_remembered(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over a restart, until a file changes; and forgotten when it goes."""
    reads: list[Path] = []

    def counted(path: Path) -> object:
        reads.append(path)
        return real(path)

    real = gguf.read
    monkeypatch.setattr(reading, "read", counted)
    write(own / "a.gguf")
    (own / "b.gguf").write_bytes(b"bad")
    first = look(scan(own))
    names = {path.name for path in reads}
    assert names == {"a.gguf", "b.gguf", "guide.gguf"}

    reads.clear()
    assert look(scan(own)) == first
    assert reads == []

    (own / "a.gguf").unlink()
    write(own / "b.gguf")
    assert set(look(scan(own))) == {"b"}
    assert [path.name for path in reads] == ["b.gguf"]
    with Database(own.parent / "data" / "db.sqlite3").transaction() as connection:
        rows = connection.execute("SELECT path, problem FROM model_facts").fetchall()
    assert {Path(path).name for path, _ in rows} == {"b.gguf", "guide.gguf"}


def test_a_database_that_fails_costs_only_time(own: Path) -> None:
    """Models are found without it."""
    write(own / "a.gguf")
    (own.parent / "data").write_text("no folder")
    assert look(scan(own))["a"].facts is not None


def test_what_another_release_remembered_is_read_again(own: Path) -> None:
    """Whatever it may have been."""
    write(own / "a.gguf")
    look(scan(own))
    database = Database(own.parent / "data" / "db.sqlite3")
    for blob in (b"", b"\xc1", b"\x92\x00\x80"):
        with database.transaction() as connection:
            connection.execute("UPDATE model_facts SET facts = ?", (blob,))
        assert look(scan(own))["a"].facts is not None


def test_a_look_can_be_given_up(own: Path) -> None:
    """So that a server can stop while it reads files."""
    write(own / "a.gguf")
    looks = scan(own)
    looks.stop()
    with pytest.raises(StoppedError):
        looks.look()


def test_configured_aliases_are_shown(own: Path) -> None:
    """Those that lead nowhere do no harm."""
    write(own / "a.gguf")
    looks = scan(own, aliases={"gpt-4o": "A.gguf", "x": "none", "y": "hf:?"})
    assert look(looks)["a"].aliases == ("gpt-4o",)


def test_changes_within_the_time_that_a_disk_tells_apart_are_seen(own: Path) -> None:
    """A folder that changed just now may have changed again under the same time."""
    looks = scan(own)
    stamp = time.time_ns()
    for number in range(5):
        write(own / f"m{number}.gguf")
        os.utime(own, ns=(stamp, stamp))
        assert len(look(looks)) == number + 1


def test_two_scans_share_a_database(own: Path) -> None:
    """As two servers of one user do."""
    for number in range(20):
        write(own / f"m{number}.gguf")
    found: list[int] = []

    def run() -> None:
        found.append(len(look(scan(own))))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20] * 4
