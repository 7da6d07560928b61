"""Painting under masks, on models whose answers are known."""

import pytest
import torch
from projectors import Half, Projector, images, model

from ign import edit


def hole(*columns: int) -> torch.Tensor:
    mask = torch.zeros(4, 6, dtype=torch.bool)
    mask[:, list(columns)] = True
    return mask


def test_inpainting_projects_the_image_with_noise_in_the_hole():
    m, x, mask = model(Projector()), images(), hole(4, 5)
    z = m.latents(torch.arange(5), seed=3)
    found = edit.inpaint(m, x, mask, seed=3)
    assert torch.allclose(found, Projector()(torch.where(mask, z, x)))
    assert not torch.allclose(found, edit.inpaint(m, x, mask, seed=4))
    assert torch.allclose(edit.inpaint(m, x, mask.float()[None, None], seed=3), found)
    assert torch.allclose(edit.inpaint(m, x, mask, seed=3, batch_size=2), found)
    assert torch.allclose(edit.inpaint(m, x[2:], mask, seed=3, start=2), found[2:])


def test_each_image_may_have_a_mask_of_its_own():
    m, x = model(Half()), images(2, 1, 4, 6)
    masks = torch.stack([hole(0), hole(3, 4)])[:, None]
    z = m.latents(torch.arange(2))
    found = edit.inpaint(m, x, masks, applications=2)
    assert torch.allclose(found, torch.where(masks, z, x) / 4)


def test_kept_pixels_stay_to_the_bit_and_repetition_finds_what_fits_them():
    """The images that the projector leaves alone and that have these pixels: right equals left."""
    m, x, mask = model(Projector()), images(), hole(3, 4, 5)
    once = edit.inpaint(m, x, mask, keep=True)
    z = m.latents(torch.arange(5))
    wanted = torch.where(mask, Projector()(torch.where(mask, z, x)), x)
    assert torch.allclose(once, wanted)
    assert torch.equal(once[..., :3], x[..., :3])
    often = edit.inpaint(m, x, mask, applications=40, keep=True)
    assert torch.equal(often[..., :3], x[..., :3])
    assert torch.allclose(often[..., 3:], x[..., :3], atol=1e-5)
    assert torch.equal(edit.inpaint(m, x, mask, applications=0, keep=True), torch.where(mask, z, x))


def test_a_patch_is_pasted_where_it_is_told_and_projected():
    m, x, patch = model(Half()), images(), images(1, 2, 3, seed=9)
    pasted = x.clone()
    pasted[..., 1:3, 2:5] = patch
    assert torch.allclose(edit.composite(m, x, patch, 1, 2), pasted / 2)
    kept = edit.composite(m, x, patch, 1, 2, applications=3, keep=True)
    wanted = x.clone()
    wanted[..., 1:3, 2:5] = patch / 8
    assert torch.allclose(kept, wanted)
    assert torch.allclose(edit.composite(m, x, x[0], 0, 0), x[:1].expand_as(x) / 2)


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (None, "the mask is missing"),
        (torch.zeros(4, 6), "covers nothing"),
        (torch.stack([hole(), hole(1), hole(2)])[:, None], "covers nothing"),
        (torch.ones(4, 5), r"mask is \(4, 5\); these images require \(4, 6\) or \(3, 1, 4, 6\)"),
        (torch.ones(2, 1, 4, 6), "mask is"),
        (torch.ones(3, 4, 6), "mask is"),
        (torch.full((4, 6), 0.5), "must be 0 or 1"),
    ],
)
def test_masks_that_are_none_are_told(mask, words):
    with pytest.raises(ValueError, match=words):
        edit.inpaint(model(Half()), images(3, 1, 4, 6), mask)


@pytest.mark.parametrize(
    ("patch", "top", "left", "words"),
    [
        ((1, 2, 3), 3, 0, "rows 3 to 5 and columns 0 to 3 are not inside images of 4 x 6"),
        ((1, 2, 3), 0, -1, "are not inside"),
        ((1, 5, 6), 0, 0, "are not inside"),
        ((3, 2, 2), 0, 0, r"patch is \(3, 2, 2\); give \(1, h, w\)"),
        ((1, 0, 2), 0, 0, "patch is"),
        ((2, 2), 0, 0, "patch is"),
    ],
)
def test_patches_that_do_not_fit_are_told(patch, top, left, words):
    with pytest.raises(ValueError, match=words):
        edit.composite(model(Half()), images(), torch.zeros(patch), top, left)


def test_images_of_another_size_are_told():
    with pytest.raises(ValueError, match=r"this model takes \(B, 1, 4, 6\)"):
        edit.inpaint(model(Half()), images(2, 1, 4, 4), torch.ones(4, 4))
    with pytest.raises(ValueError, match=r"this model takes \(B, 1, 4, 6\)"):
        edit.composite(model(Half()), images(2, 1, 4, 4), torch.zeros(1, 2, 2), 0, 0, keep=True)
