"""Each method against its definition written out, in float64, and as a run like any other."""

import copy
import math
import os
import shutil
import signal
from itertools import count
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import reference
import torch
import torch.nn.functional as F
import yaml
from lightning import Trainer
from torch import nn
from torch.distributions import Normal, kl_divergence
from training.runs import SHARED, TINY, begin, main, rows, same_end

import ign
from ign import IGN, data
from ign.noise import GaussianNoise
from ign.training import Config, arguments
from ign.training.config import NetworkConfig
from ign.training.configs import PaperObjectiveConfig
from ign.training.methods import METHODS, Batch
from ign.training.methods.ebgan import pulling_away
from ign.training.module import Training

BASELINES = tuple(name for name in METHODS if name != "ign")
RATE, BETAS = 1e-2, (0.5, 0.999)


def training(name: str, **options) -> Training:
    """A method on a tiny network, in double precision."""
    torch.manual_seed(0)
    config = METHODS[name].config(
        batch_size=6, learning_rate=RATE, betas=BETAS, network=NetworkConfig(4, "batch"), **options
    )
    network = METHODS[name].network_class(1, 8, 4, "batch")
    method = METHODS[name](network, config)
    with torch.no_grad():
        for p in (*network.parameters(), *method.parameters()):
            p.mul_(5 if p.ndim > 1 else 1)
    images = data.load("digits", size=8, limit=30)
    model = IGN(network, GaussianNoise((1, 8, 8)))
    return Training(model, method, images, config).double()


def adam(*modules: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam([p for m in modules for p in m.parameters()], RATE, BETAS)


def descend(optimizer: torch.optim.Adam, loss: torch.Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def dcgan(network, method, batches, _):
    generator, critic = network.decoder, method.discriminator
    of_generator, of_critic = adam(generator), adam(critic)
    for x, z in batches:
        code, one, zero = z.reshape(6, 64)[:, :8].reshape(6, 8, 1, 1), torch.ones(6), torch.zeros(6)
        bce = F.binary_cross_entropy_with_logits
        real = bce(critic(x).flatten(), one.double())
        fake = bce(critic(generator(code).detach()).flatten(), zero.double())
        descend(of_critic, real + fake)
        loss = bce(critic(generator(code)).flatten(), one.double())
        descend(of_generator, loss)
    return real + fake, loss


def vae(network, method, batches, config):
    optimizer = adam(network)
    for x, z in batches:
        mean, log_variance = network.encoder(x).split(8, 1)
        posterior = Normal(mean, (log_variance / 2).exp())
        code = posterior.loc + posterior.scale * z.reshape(6, 64)[:, :8].reshape(6, 8, 1, 1)
        y = network.decoder(code)
        likelihood = Normal(y, 0.5**0.5).log_prob(x) + math.log(math.pi) / 2
        kl = kl_divergence(posterior, Normal(torch.zeros(1).double(), 1.0))
        loss = -likelihood.sum() / 6 + config.beta * kl.sum() / 6
        descend(optimizer, loss)
    return (loss,)


def autoencoder(network, method, batches, _):
    optimizer = adam(network)
    for x, _ in batches:
        loss = F.mse_loss(network.decoder(network.encoder(x)), x)
        descend(optimizer, loss)
    return (loss,)


def ebgan(network, method, batches, config):
    generator, critic = network.decoder, network.critic
    of_generator, of_critic = adam(generator), adam(critic)
    for x, z in batches:
        y = generator(z.reshape(6, 64)[:, :8].reshape(6, 8, 1, 1))
        energy = (critic(y.detach()) - y.detach()).square().mean((1, 2, 3))
        hinge = torch.stack([max(config.margin - e, 0 * e) for e in energy])
        assert 0 < (hinge > 0).sum() < 6, "the margin cuts the batch in two"
        critic_loss = F.mse_loss(critic(x), x) + hinge.mean()
        descend(of_critic, critic_loss)
        code = critic.encoder(y).flatten(1)
        pairs = [F.cosine_similarity(a, b, 0) ** 2 for a in code for b in code if a is not b]
        alike = [p for p in pairs if p < 1 - 1e-9]
        loss = F.mse_loss(critic.decoder(critic.encoder(y)), y)
        loss = loss + config.pull_weight * sum(alike) / 30
        descend(of_generator, loss)
    return critic_loss, loss


DEFINITIONS = {
    "dcgan": (dcgan, {}),
    "vae": (vae, {"beta": 0.7}),
    "autoencoder": (autoencoder, {}),
    "ebgan": (ebgan, {"margin": 0.1, "pull_weight": 0.3}),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_steps_are_those_of_the_definition(name, monkeypatch):
    """Two steps of Lightning's, and two written out with an optimizer for each player."""
    definition, options = DEFINITIONS[name]
    module = training(name, **options)
    plain, batches = Training.batch, []

    def double(self, *where):
        found = plain(self, *where)
        batches.append((found.x.double(), found.z.double()))
        return Batch(*batches[-1])

    monkeypatch.setattr(Training, "batch", double)
    network, method = (copy.deepcopy(m).train() for m in (module.model.network, module.method))
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    trainer = Trainer(max_steps=2, accelerator="cpu", **dict.fromkeys(quiet, False))
    trainer.fit(module, [0, 0, 0])
    losses = definition(network, method, batches, module.config)
    for term, wanted in zip(METHODS[name].terms, losses, strict=False):
        assert abs(module.losses[term] - wanted) < 1e-10
    for ours, wanted in ((module.model.network, network), (module.method, method)):
        for (key, a), b in zip(ours.named_parameters(), wanted.parameters(), strict=True):
            assert torch.allclose(a, b, rtol=1e-8, atol=1e-10), key


@pytest.mark.parametrize(("distance", "ratio"), [("l2", None), ("l1", 0.5)])
def test_listing_is_the_listing(distance, ratio):
    options = PaperObjectiveConfig(distance, 3.0, 2.0, 0.5, ratio)
    module = training("listing", objective=options)
    network, method = module.model.network.train(), module.method.train()
    x, z = torch.rand(6, 1, 8, 8).double() * 2 - 1, torch.randn(6, 1, 8, 8).double()
    for _ in range(2):  # the copy follows
        wanted = reference.listing(network, x, z, distance, (3.0, 2.0, 0.5), ratio)
        network.zero_grad()
        (update,) = method.losses(network, Batch(x, z))
        update.loss.backward()
        terms = (update.terms[k] for k in ("total", "rec", "idem", "tight"))
        statistics = reference.statistics(network)
        assert reference.agrees(
            reference.Step(*terms, reference.gradient(network), statistics), wanted
        )
        with torch.no_grad():
            for p in network.parameters():
                p.add_(0.1 * torch.randn_like(p))


def test_pulling_away_is_the_mean_squared_cosine():
    codes = torch.randn(5, 7, dtype=torch.float64)
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    wanted = sum(F.cosine_similarity(codes[i], codes[j], 0) ** 2 for i, j in pairs) / len(pairs)
    assert torch.allclose(pulling_away(codes), wanted)
    assert torch.allclose(pulling_away(torch.eye(4)), torch.zeros(()))
    assert torch.allclose(pulling_away(torch.ones(4, 3)), torch.ones(()))


def test_running_statistics_are_those_of_one_pass_of_the_right_images():
    """The generator's of its own pass, the energy's of the data alone."""
    for name in ("dcgan", "ebgan"):
        module = training(name)
        network, method = module.model.network.train(), module.method.train()
        x, z = torch.rand(6, 1, 8, 8).double() * 2 - 1, torch.randn(6, 1, 8, 8).double()
        wanted = copy.deepcopy(network)
        wanted.generate(wanted.latent(z))
        if name == "ebgan":
            wanted.critic(x)
        list(method.losses(network, Batch(x, z)))
        for (key, a), b in zip(network.named_buffers(), wanted.buffers(), strict=True):
            assert torch.equal(a, b), key


def test_codes_of_the_training_images_are_fitted():
    module = training("autoencoder").float()
    network, modes = module.model.network.train(), []
    network.encoder.register_forward_hook(lambda layers, *_: modes.append(layers.training))
    module.method.finalize(network, module.images)
    assert modes == [False]
    assert network.training
    x = module.images.batch(torch.arange(30))
    codes = network.eval().encoder(x).flatten(1)
    assert torch.allclose(network.mean, codes.mean(0), atol=1e-6)
    assert torch.allclose(network.spread @ network.spread.T, codes.T.cov(), atol=1e-6)


# Runs.

WORDS = [*SHARED, "--steps=6", "--every=3", "--decay=0.5", "--trainer.accumulate_grad_batches=2"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each baseline, made when asked for."""
    made: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in made:
            out = tmp_path_factory.mktemp(name) / "run"
            made[name] = begin(out, [*WORDS, f"--method={name}"])
        return made[name]

    return run


@pytest.mark.parametrize("name", BASELINES)
def test_a_run_of_a_baseline_is_a_run(name, runs):
    run = runs(name)
    model = IGN.from_pretrained(run)
    assert model.about["method"] == name
    assert type(model.network) is METHODS[name].network_class
    assert torch.allclose(model.sample(7, batch_size=2), model.sample(9)[:7], atol=1e-5)
    last = rows(run)[-1]
    assert all(last[k] for k in ("step", "diversity", *METHODS[name].terms))
    assert bool(last["gap"] and last["drift_held_out"] and last["drift_train"]) == model.projects
    kept = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    assert (kept["method"], kept["network"]["norm"]) == (name, "batch")


def test_gaussian_of_the_codes_is_stored_with_the_model(runs):
    network = IGN.from_pretrained(runs("autoencoder")).network
    x = data.load("digits", split="train", size=8, limit=64).batch(torch.arange(64))
    codes = network.encoder(x).flatten(1)
    assert torch.allclose(network.mean, codes.mean(0), atol=1e-6)
    assert torch.allclose(network.spread @ network.spread.T, codes.T.cov(), rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_that_is_stopped_goes_on_as_if_not(name, runs, tmp_path, monkeypatch):
    plain, number = Training.batch, count(1)

    def planted(self, *where):
        if next(number) == 8:  # within step 4, which is no step of a check
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(self, *where)

    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Training, "batch", planted)
        assert main("train", "digits", *WORDS, f"--method={name}", f"--out={run}") == 143
    assert main("train", "--resume", run) == 0
    assert same_end(run, runs(name))


def test_steps_of_checkpoints_that_lightning_counted_itself(runs, tmp_path):
    run = shutil.copytree(runs("dcgan"), tmp_path / "run")
    checkpoint = run / "checkpoints" / "step-00000003.ckpt"
    (run / "checkpoints" / "step-00000006.ckpt").unlink()
    content = torch.load(checkpoint, weights_only=True)
    counter = "epoch_loop.manual_optimization.optim_step_progress"
    content["loops"]["fit_loop"][counter]["total"].update(ready=0, completed=0)
    torch.save(content, checkpoint)
    assert main("train", "--resume", run) == 0
    assert same_end(run, runs("dcgan"))


def test_commands_on_a_generator(runs, tmp_path, capsys):
    run, out = runs("dcgan"), tmp_path / "out"
    samples = sorted((run / "samples").iterdir())
    assert main("sample", run, "-n", 3, "--out", out) == 0
    assert main("info", run) == 0
    capsys.readouterr()
    for words in (
        ("project", run, samples[0], "--out", tmp_path / "p"),
        ("score", run, samples[0]),
        ("sample", run, "-n", 3, "-k", 1, 2, "--out", tmp_path / "k"),
    ):
        assert main(*words) == 2
        printed, err = capsys.readouterr()
        assert (printed, err.count("\n")) == ("", 1)
        assert err.startswith(f"ign {words[0]}: this model is a generator without encoder")
    assert not (tmp_path / "p").exists()


# What a method sets.


@pytest.mark.parametrize("name", METHODS)
def test_a_configuration_names_its_method(name):
    kind = METHODS[name].config
    assert get_args(get_type_hints(kind)["method"]) == (name,)
    assert kind().method == name


def test_a_method_sets_what_is_not_given():
    preset, dcgan = arguments({}, "celeba"), arguments({"method": "dcgan"}, "celeba")
    assert (preset.learning_rate, preset.noise, preset.network.norm) == (5e-4, "spectral", "role")
    assert (dcgan.learning_rate, dcgan.betas) == (2e-4, (0.5, 0.999))
    assert (dcgan.noise, dcgan.network.norm) == ("gaussian", "batch")
    for name in ("data", "size", "flip", "batch_size", "steps", "decay", "ema", "seed"):
        assert getattr(dcgan, name) == getattr(preset, name)
    assert dcgan.network.width == preset.network.width
    given = {"method": "dcgan", "learning_rate": 1e-3, "network": {"norm": "group"}}
    both = arguments(given, "celeba")
    assert (both.learning_rate, both.network.norm, both.betas) == (1e-3, "group", (0.5, 0.999))
    listing = arguments({"method": "listing"}, "celeba").objective
    assert listing == PaperObjectiveConfig("l2", 1.0, 1.0, 0.1, None)
    assert arguments({"method": "listing"}, "celeba").noise == "spectral"


def test_a_method_in_a_yaml_file_sets_the_same(tmp_path, monkeypatch):
    found: list[Config] = []
    monkeypatch.setattr("ign.training.run", lambda config, *_: found.append(config))
    (tmp_path / "a.yaml").write_text("method: vae\nsteps: 7\n", encoding="utf-8")
    assert main("train", "mnist", f"--config={tmp_path / 'a.yaml'}") == 0
    assert main("train", "mnist", "--method", "vae", "--steps=7") == 0
    assert found[0] == found[1] == arguments({"method": "vae", "steps": 7}, "mnist")
    assert found[0].learning_rate == 1e-3


def test_help_shows_what_a_method_sets(capsys):
    with pytest.raises(SystemExit):
        main("train", "mnist", "--method=dcgan", "--help")
    text = capsys.readouterr().out
    assert "default: 0.0002" in text
    assert "default: dcgan" in text


MISTAKES = {
    "unknown": (["--method=gan"], "gan"),
    "role": (["--method=vae", "--network.norm=role"], "network.norm"),
    "noise": (["--method=dcgan", "--noise=spectral"], "--noise=spectral"),
    "code": (["--method=ebgan", "--network.width=64"], "code of 128 values"),
    "match": (["--method=listing", "--match.weight=1"], "--match.weight=1"),
    "adversarial": (["--method=listing", "--adversarial.weight=1"], "--adversarial.weight=1"),
    "clamp": (["--method=listing", "--objective.clamp_scale=z"], "clamp_scale"),
    "rounding": (["--method=vae", "--network.rounding=1"], "network.rounding"),
    "beta": (["--method=dcgan", "--beta=1"], "--beta=1"),
    "judge": (["--adversarial.reconstruction_weight=1"], "needs an adversarial.weight"),
    "code weight": (["--code.weight=1"], "needs an adversarial.weight"),
    "own": (["--code.own_weight=1"], "needs a code.weight"),
    "tight": (["--adversarial.weight=1", "--code.weight=1"], "needs a tight_weight of 0"),
    "step": (["--network.rounding=-1"], "rounding -1.0 must be finite and at least 0"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_one_line(mistake, tmp_path, capsys):
    words, told = MISTAKES[mistake]
    shared = SHARED if words[0].startswith("--method") else TINY
    assert main("train", "digits", *shared, *words, f"--out={tmp_path / 'run'}") == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err
    assert not (tmp_path / "run").exists()


def test_mistakes_in_python(runs, tmp_path):
    with pytest.raises(ValueError, match="gan"):
        ign.train("digits", method="gan")
    with pytest.raises(ValueError, match="method was dcgan and cannot become vae"):
        ign.train(resume=runs("dcgan"), method="vae", steps=9)


def test_a_run_is_named_after_its_method(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main("train", "digits", *SHARED, "--steps=1", "--method=autoencoder") == 0
    assert (tmp_path / "runs" / "digits-autoencoder" / "model").is_dir()


def test_a_run_with_idempotence_of_the_code(tmp_path):
    words = ["--adversarial.weight=0.3", "--adversarial.reconstruction_weight=0.3"]
    words += ["--code.weight=3", "--code.own_weight=5", "--objective.tight_weight=0"]
    words += ["--network.decoder_norm=group", "--network.code_norm=true", "--network.rounding=0.5"]
    run = begin(tmp_path / "run", [*SHARED, "--match.weight=0", *words])
    last = rows(run)[-1]
    assert all(float(last[name]) > 0 for name in ("code", "code_rec", "idem", "generator_rec"))
    model = IGN.from_pretrained(run)
    assert model.network.config["code_norm"] is True
    assert torch.equal(model.sample(3), IGN.from_pretrained(run).sample(3))
