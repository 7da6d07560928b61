"""Images and zips that are damaged or hostile."""

import pytest
from torture import command, hostile


def filled(place: command.World) -> None:
    """Put 40 good images into ``inputs/d``, so that one that is not is under 5 %."""
    (place.inputs / "d").mkdir()
    for i in range(40):
        (place.inputs / "d" / f"{i}.png").write_bytes(hostile.image(i))


@pytest.mark.promise("images")
@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", hostile.FORMATS)
def test_damaged_image(kind, attempt, many, world):
    filled(world)
    file = world.inputs / "d" / f"bad.{kind.lower()}"
    for content in hostile.damaged(hostile.image(kind=kind), many(4, 40), head=300):
        file.write_bytes(content)
        result = attempt(world, "score", "digits", world.inputs / "d", named=("bad.",))
        assert result.status in (0, 1)
        assert result.out.count(b"\n") == 42 - (b"bad." in result.err)
        assert attempt(world, "score", "digits", file, named=("bad.",)).status in (0, 1, 2)


@pytest.mark.promise("images")
def test_image_of_900_million_pixels(attempt, world):
    file = world.inputs / "huge.png"
    file.write_bytes(hostile.huge())
    result = attempt(world, "project", "digits", file, "--out", world.out)
    assert result.status == 2
    assert b"huge.png" in result.err


@pytest.mark.promise("images")
@pytest.mark.parametrize("verb", ["calibrate", "train"])
def test_damaged_image_in_data(verb, attempt, many, world):
    filled(world)
    for i, kind in enumerate(hostile.FORMATS[: many(1, 9)]):
        (world.inputs / "d" / "bad.png").write_bytes(hostile.image(kind=kind)[:60])
        out = world.out / str(i)
        words = ["digits"] if verb == "calibrate" else command.TINY
        attempt(world, verb, *words, "--data", world.inputs / "d", "--out", out, named=("bad.",))
        assert (out / "config.json").exists() or (out / "model" / "config.json").exists()


def use(attempt, place: command.World, content: bytes) -> None:
    file = place.inputs / "images.zip"
    file.write_bytes(content)
    words = ("--data", file, "--out", place.out / "calibrated", "--force")
    attempt(place, "calibrate", "digits", *words, named=("images.zip",))


@pytest.mark.promise("zips")
def test_hostile_zip(attempt, many, world):
    found = list(hostile.hostile_zips())
    for _, content in found[:: many(5, 1)]:
        use(attempt, world, content)


@pytest.mark.promise("zips")
def test_damaged_zip(attempt, many, world):
    whole = hostile.zipped([(f"{i}.png", hostile.image(i)) for i in range(25)])
    directory = whole.find(b"PK\x01\x02")
    for content in hostile.damaged(whole, many(4, 60)):
        use(attempt, world, content)
    for ending in hostile.damaged(whole[directory:], many(4, 60), seed=1):
        use(attempt, world, whole[:directory] + ending)
