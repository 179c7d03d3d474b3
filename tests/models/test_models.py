"""Every net of the contract: shapes, published sizes, that it learns, that memory is memory."""

import pytest
import torch
from torch import nn

from tests.training_frames import Frames
from tlae.models.cae import ConvAutoencoder
from tlae.models.cae_dense import DenseAutoencoder
from tlae.models.convlstm import ConvLSTMAutoencoder
from tlae.models.light import in_the_light_of
from tlae.models.predictor import FramePredictor
from tlae.models.segmenter import INITIAL_LOGIT, AnomalySegmenter
from tlae.models.stae import StackedAutoencoder
from tlae.models.standardised import Standardised
from tlae.models.still_segmenter import StillSegmenter


def judging(channels: int = 1, size_hw: tuple[int, int] = (32, 36)) -> Standardised:
    """A segmenter answers with logits; standardised, with shares."""
    net = AnomalySegmenter(channels, window_frames=4, widths=(8, 8))
    return Standardised(net, torch.zeros(channels, *size_hw), 1.0)


def stills(channels: int = 1, size_hw: tuple[int, int] = (32, 36)) -> Standardised:
    """A segmenter of stills, with two backgrounds and five frames to compare with."""
    net = StillSegmenter(channels, 4, size_hw, widths=(8, 8), bank_frames=3, seen_frames=5)
    around = Standardised(net, torch.full((channels, *size_hw), 0.4), 0.2)
    background, seen = torch.rand(2, channels, *size_hw), torch.rand(5, channels, *size_hw)
    around.keep(Frames(background=background, seen=seen))
    return around


SMALL = {
    "cae": lambda: ConvAutoencoder(widths=(4, 4), code_channels=2),
    "cae_dense": lambda: DenseAutoencoder(size_hw=(32, 36), width=4, code_size=8),
    "stae": lambda: StackedAutoencoder(window_frames=4, widths=(4, 4, 4), kernels_px=(3, 2, 2)),
    "convlstm": lambda: ConvLSTMAutoencoder(
        widths=(4, 4), kernels_px=(4, 2), strides_px=(2, 2), memory=(4, 3, 4)
    ),
    "predictor": lambda: FramePredictor(window_frames=4, widths=(8, 8)),
    "segmenter": lambda: judging(),
    "still_segmenter": lambda: stills(),
    "convlstm ahead": lambda: ConvLSTMAutoencoder(
        widths=(8, 8), kernels_px=(4, 2), strides_px=(2, 2), memory=(8, 8), ahead=2
    ),
}


@pytest.mark.parametrize("name", SMALL)
def test_answer_and_target_have_equal_shape(name: str) -> None:
    clip = torch.rand(2, 1, 4, 32, 36)
    net = SMALL[name]()
    answer = net(clip)
    assert answer.shape == net.target(clip).shape
    expected = torch.zeros_like(clip) if net.segments else clip
    torch.testing.assert_close(net.target(clip)[:, :, -1], expected[:, :, -1])


@pytest.mark.parametrize("name", ["cae", "stae", "convlstm", "convlstm ahead", "predictor"])
def test_odd_sizes_come_back_whole(name: str) -> None:
    clip = torch.rand(1, 1, 4, 33, 41)
    net = SMALL[name]()
    assert net(clip).shape == net.target(clip).shape


@pytest.mark.parametrize("name", SMALL)
def test_colour_is_supported(name: str) -> None:
    make = {
        "cae": lambda: ConvAutoencoder(3, (4, 4), 2),
        "cae_dense": lambda: DenseAutoencoder(3, (32, 36), 4, 8),
        "stae": lambda: StackedAutoencoder(3, 4, (4, 4, 4), (3, 2, 2)),
        "convlstm": lambda: ConvLSTMAutoencoder(3, (4, 4), (4, 2), (2, 2), (4, 4)),
        "segmenter": lambda: judging(3),
        "still_segmenter": lambda: stills(3),
        "predictor": lambda: FramePredictor(3, 4, (8, 8)),
        "convlstm ahead": lambda: ConvLSTMAutoencoder(3, (4, 4), (4, 2), (2, 2), (4, 4), 1),
    }[name]
    clip = torch.rand(2, 3, 4, 32, 36)
    net = make()
    assert net(clip).shape == net.target(clip).shape


@pytest.mark.parametrize("name", SMALL)
def test_untrained_net_answers_with_the_do_nothing_answer(name: str) -> None:
    clip = torch.rand(1, 1, 4, 32, 36)
    net = SMALL[name]().eval()
    ahead = getattr(net, "ahead", 0)
    expected = clip[:, :, :-ahead] if ahead else torch.zeros_like(clip)
    if name == "predictor":  # of one frame alone
        expected = clip[:, :, -2:-1]
    if net.segments:
        expected = torch.sigmoid(torch.tensor(INITIAL_LOGIT)).expand(1, 1, 4, 32, 36)
    torch.testing.assert_close(net(clip), expected)


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_learns(name: str) -> None:
    torch.manual_seed(0)
    net = SMALL[name]()
    clip = torch.rand(2, 1, 4, 32, 36)
    before = {k: v.clone() for k, v in net.named_parameters()}
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        loss = (net(clip) - net.target(clip)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    still = [k for k, v in net.named_parameters() if torch.equal(v, before[k])]
    assert not still


def weights(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def conv(before: int, after: int, kernel: int) -> int:
    return before * after * kernel**2 + after


def test_published_cae_dense_has_62_million_weights() -> None:
    flat = 32 * 22 * 22
    dense = flat * 2000 + 2000 + 2000 * flat + flat
    stages = conv(1, 32, 5) + conv(32, 32, 5)
    mirrored = conv(32, 32, 5) + conv(32, 1, 5)
    assert weights(DenseAutoencoder()) == dense + stages + mirrored == 62_022_385


def test_published_stae_size_and_shape() -> None:
    norms = 2 * (512 + 256 + 128 + 256 + 512)
    down = conv(10, 512, 15) + conv(512, 256, 4) + conv(256, 128, 3)
    up = conv(128, 256, 3) + conv(256, 512, 4) + conv(512, 10, 15)
    net = StackedAutoencoder()
    assert weights(net) == down + up + norms == 7_093_130
    assert net._fitting(227) == 227  # the published size passes all stages without remainder


def test_published_convlstm_size_and_shape() -> None:
    down = conv(1, 128, 11) + conv(128, 64, 5)
    memory = conv(64 + 64, 4 * 64, 3) + conv(64 + 32, 4 * 32, 3) + conv(32 + 64, 4 * 64, 3)
    up = conv(64, 128, 5) + conv(128, 1, 11)
    net = ConvLSTMAutoencoder()
    assert weights(net) == down + memory + up == 1_068_225
    assert net._fitting(227) == 227


def random_last_layer(net: nn.Module) -> nn.Module:
    """Nets start at the do-nothing answer; give them one of their own."""
    torch.manual_seed(1)
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.2)
    return net.eval()


@pytest.mark.parametrize("name", ["convlstm", "convlstm ahead"])
def test_convlstm_answer_depends_on_the_order_of_frames(name: str) -> None:
    net = random_last_layer(SMALL[name]())
    clip = torch.rand(1, 1, 4, 32, 36)
    shuffled = clip[:, :, [2, 0, 1, 3]]
    last, last_shuffled = (net(c)[:, :, -1] for c in (clip, shuffled))
    assert not torch.allclose(last, last_shuffled, atol=1e-4)  # frame 3 is the same in both


def test_frame_autoencoder_ignores_the_order_of_frames() -> None:
    net = random_last_layer(SMALL["cae"]())
    clip = torch.rand(1, 1, 4, 32, 36)
    torch.testing.assert_close(net(clip)[:, :, -1], net(clip[:, :, [2, 0, 1, 3]])[:, :, -1])


@pytest.mark.parametrize("name", ["convlstm", "convlstm ahead"])
@pytest.mark.parametrize("pieces", [[1] * 6, [4, 2], [1, 5]])
def test_carrying_the_state_equals_the_whole_window(name: str, pieces: list[int]) -> None:
    net = random_last_layer(SMALL[name]())
    clip = torch.rand(2, 1, 6, 32, 36)
    state, answers = None, []
    for piece in clip.split(pieces, dim=2):
        answer, state = net.carry(piece, state)
        answers.append(answer)
    whole = net(clip)
    torch.testing.assert_close(torch.cat(answers, dim=2)[:, :, -whole.shape[2] :], whole)


def test_predictor_does_not_see_the_frames_it_predicts() -> None:
    net = random_last_layer(SMALL["convlstm ahead"]())
    clip = torch.rand(1, 1, 6, 32, 36)
    changed = clip.clone()
    changed[:, :, -2:] = 0.5  # the horizon
    torch.testing.assert_close(net(clip)[:, :, -1], net(changed)[:, :, -1])


def test_standardised_net_starts_at_the_mean_frame() -> None:
    mean = torch.rand(1, 32, 36)
    net = Standardised(SMALL["cae"](), mean, 0.1)
    answer = net(torch.rand(2, 1, 3, 32, 36))
    torch.testing.assert_close(answer, mean[None, :, None].expand_as(answer))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="spread must be > 0"):
        Standardised(SMALL["cae"](), torch.zeros(1, 8, 8), 0.0)
    with pytest.raises(ValueError, match=r"size_hw must be 16, 20, .* got 99; nearest is 96"):
        DenseAutoencoder(size_hw=(100, 99))
    with pytest.raises(ValueError, match="ahead must be >= 0"):
        ConvLSTMAutoencoder(ahead=-1)
    with pytest.raises(ValueError, match=r"window_frames must be > model\.ahead"):
        SMALL["convlstm ahead"]()(torch.rand(1, 1, 2, 32, 36))


def test_predictor_does_not_look_at_what_it_predicts() -> None:
    net = random_last_layer(SMALL["predictor"]()).eval()
    clip = torch.rand(1, 1, 4, 32, 36)
    other = clip.clone()
    other[:, :, -1] = 0
    torch.testing.assert_close(net(clip), net(other))
    with pytest.raises(ValueError, match=r"footage\.window_frames must be >= 2 to predict, got 1"):
        FramePredictor(window_frames=1)


def test_segmenter_answers_for_any_size() -> None:
    net = judging(size_hw=(33, 41))
    clip = torch.rand(1, 1, 4, 33, 41)
    assert net(clip).shape == net.target(clip).shape == (1, 1, 4, 33, 41)


def test_segmenter_refuses_what_has_no_speed() -> None:
    with pytest.raises(ValueError, match=r"footage\.window_frames must be >= 2 for speed, got 1"):
        AnomalySegmenter(window_frames=1)
    with pytest.raises(ValueError, match=r"model\.fastest must be >= 2, got 1"):
        AnomalySegmenter(fastest=1)


def test_stills_are_compared_with_the_most_alike_background_in_their_light() -> None:
    ramp = torch.linspace(0, 1, 36).expand(1, 32, 36)
    around = stills().eval()
    net = around.net
    background = torch.stack([ramp, 1 - ramp])
    around.keep(Frames(background=background, seen=torch.rand(5, 1, 32, 36)))
    dim = (0.4 * ramp + 0.1)[None]
    frames = around.standardise(dim[:, :, None])[:, :, 0]
    torch.testing.assert_close(net.most_alike(frames), frames, atol=0.05, rtol=0)


def test_stills_are_told_how_restless_a_place_is() -> None:
    around = stills(size_hw=(32, 32))
    seen = torch.full((5, 1, 32, 32), 0.5)
    seen[:, :, 8:16, 8:16] = torch.linspace(0.2, 0.8, 5)[:, None, None, None]  # a busy corner
    around.keep(Frames(background=seen[:1], seen=seen))
    frames = around.standardise(torch.full((1, 1, 1, 32, 32), 0.5))[:, :, 0]
    mean, spread, least = around.net.at_other_times(frames)[0]
    assert spread[9:15, 9:15].min() > 3 * spread[24:, 24:].max()
    assert (mean - frames[0, 0])[24:, 24:].abs().max() < 0.2
    assert least.min() >= 0


def test_in_training_a_still_is_not_compared_with_its_own_stretch_of_time() -> None:
    around = stills()
    seen = torch.rand(5, 1, 32, 36)
    around.keep(Frames(background=seen[:1], seen=seen))
    frames = around.standardise(seen[2][None, :, None])[:, :, 0]
    known = around.net.eval().at_other_times(frames)[0, -1]
    other = around.net.train().at_other_times(frames)[0, -1]
    assert known.max() < 0.1  # the very frame, up to what a byte holds
    assert other.mean() > 0.3


def test_a_segmenter_of_stills_refuses_empty_banks() -> None:
    with pytest.raises(ValueError, match=r"model\.seen_frames must be >= 1, got 0"):
        StillSegmenter(seen_frames=0)


def test_light_is_matched_but_a_black_picture_is_not_blown_up() -> None:
    picture = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(in_the_light_of(picture, picture * 0.5 + 0.2), picture)
    black = torch.zeros(2, 3, 8, 8)
    assert in_the_light_of(picture, black).isfinite().all()
