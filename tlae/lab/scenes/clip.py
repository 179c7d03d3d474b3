"""One clip, frame after frame: backdrop, people, events, light and sensor noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from tlae.footage.frames import Image
from tlae.lab.scenes.anomalies import PLAZA_ACTS
from tlae.lab.scenes.camera import SceneCamera
from tlae.lab.scenes.crowd import TWO_WAY_Z, Passer, crowd, stream
from tlae.lab.scenes.drawing import Sprite, blend, draw_body, shadow_map
from tlae.lab.scenes.furniture import building, furniture
from tlae.lab.scenes.ground import paint_ground
from tlae.lab.scenes.light import Light, random_light
from tlae.lab.scenes.options import SceneEvent, SceneOptions, View
from tlae.lab.scenes.shapes import Body
from tlae.lab.scenes.staging import Staging, stage
from tlae.lab.scenes.street import Street, street_camera
from tlae.lab.scenes.street_events import STREET_ACTS
from tlae.lab.scenes.street_furniture import street_furniture
from tlae.lab.scenes.street_ground import paint_street
from tlae.lab.scenes.street_routes import street_ways
from tlae.lab.scenes.textures import Floats

Mask = npt.NDArray[np.bool_]
Owners = npt.NDArray[np.uint8]  # 0, or 1 + the number of the event that a pixel belongs to

SHADOW_RGB = (0.46, 0.43, 0.36)  # share of the light that full shadow takes away; the rest is sky
OFF_STAGE_M = 4.0  # beside the picture, where not even a shadow reaches into it
LENS_BLUR_PX = 0.5  # at 240 rows and more; smaller pictures are sharper

_BACKDROP, _CLIPS = 1, 2  # independent streams of chance from one seed


@dataclass(frozen=True)
class Backdrop:
    """The part of the picture that never changes.

    Attributes:
        camera: its view.
        picture: ground and everything behind the farthest lane, (H, W, 3).
        sunlit: how much sun the static things leave on the ground, (H, W) uint8.
        standing: static things that can cover people: depth in metres and sprite.
        walls: (H, W) metres to a wall that can cover people, inf where there is none; or None.
    """

    camera: SceneCamera
    picture: Image
    sunlit: Image
    standing: list[tuple[float, Sprite]]
    walls: Floats | None = None


def build_backdrop(options: SceneOptions) -> Backdrop:
    """Draw what all clips of a scene share."""
    rng = np.random.default_rng([options.seed, _BACKDROP])
    return _street(options, rng) if options.view == View.DEEP else _plaza(options, rng)


def _street(options: SceneOptions, rng: np.random.Generator) -> Backdrop:
    camera = street_camera(options.size_hw)
    picture, walls = paint_street(camera, rng)
    things = street_furniture(Street.before(camera), rng)
    shade = shadow_map(camera, things)
    shade[np.isfinite(walls)] = 0
    sprites = [(body.z, draw_body(camera, body)) for body in things]
    standing = [(z, _before(walls, z, sprite)) for z, sprite in sprites if sprite is not None]
    sunlit = np.where(np.isfinite(walls), np.uint8(0), 255 - shade)
    return Backdrop(camera, _shadowed(picture, shade), sunlit, standing, walls)


def _plaza(options: SceneOptions, rng: np.random.Generator) -> Backdrop:
    camera = SceneCamera(options.size_hw)
    picture = paint_ground(camera, rng)
    things = sorted(furniture(camera, rng), key=lambda body: -body.z)
    shade = shadow_map(camera, [*things, building(camera)])
    picture = _shadowed(picture, shade)
    standing = []
    for body in things:
        sprite = draw_body(camera, body)
        if sprite is None:
            continue
        if body.z > TWO_WAY_Z[0] + 1:
            blend(picture, sprite)
        else:
            standing.append((body.z, sprite))
    return Backdrop(camera, picture, 255 - shade, standing)


def render_clip(
    options: SceneOptions,
    clip_seed: int,
    n_frames: int,
    events: Sequence[SceneEvent] = (),
    backdrop: Backdrop | None = None,
) -> Iterator[tuple[Image, Mask]]:
    """Draw one clip as a stream; memory does not grow with its length.

    The same ``clip_seed`` brings the same people, light and noise whatever the events, except that
    people keep clear of things in their way.

    Args:
        options: of the scene; its clips share one backdrop.
        clip_seed: of all chance within the clip.
        n_frames: length of the clip.
        events: in any order.
        backdrop: what :func:`build_backdrop` made of the same options, to save drawing it again.

    Yields:
        RGB picture (H, W, 3) uint8, and (H, W) bool: the visible pixels of anomalous things.

    Raises:
        UserError: an event lies outside the clip.
    """
    owned = render_owned(options, clip_seed, n_frames, events, backdrop)
    return ((picture, owners > 0) for picture, owners in owned)


def render_owned(
    options: SceneOptions,
    clip_seed: int,
    n_frames: int,
    events: Sequence[SceneEvent] = (),
    backdrop: Backdrop | None = None,
) -> Iterator[tuple[Image, Owners]]:
    """As :func:`render_clip`, but telling which event each pixel belongs to.

    Yields:
        RGB picture (H, W, 3) uint8, and (H, W) uint8: 0, or 1 + position in ``events``.
    """
    scene = backdrop or build_backdrop(options)
    root = np.random.SeedSequence([options.seed, _CLIPS, clip_seed])
    people, shine, noise, *staged = (
        np.random.default_rng(seed) for seed in root.spawn(3 + len(events))
    )
    deep, fps = options.view == View.DEEP, options.fps
    acts = STREET_ACTS if deep else PLAZA_ACTS
    staging = stage(scene.camera, events, n_frames, fps, staged, acts)
    walkers: Iterator[Sequence[Passer]]
    if deep:
        ways = street_ways(Street.before(scene.camera))
        walkers = stream(ways, people, options.mean_walkers, fps, staging.obstacles)
    else:
        walkers = crowd(scene.camera, people, options.mean_walkers, fps, staging.obstacles)
    light = random_light(shine)
    return _frames(options, scene, n_frames, staging, walkers, light, noise)


def _frames(
    options: SceneOptions,
    scene: Backdrop,
    n_frames: int,
    staging: Staging,
    walkers: Iterator[Sequence[Passer]],
    light: Light,
    noise: np.random.Generator,
) -> Iterator[tuple[Image, Owners]]:
    blur_px = LENS_BLUR_PX * min(1.0, options.size_hw[0] / 240)
    for frame in range(n_frames):
        now = frame / options.fps
        bodies = [(walker.body(now), 0) for walker in next(walkers)]
        bodies += [
            (actor.body(now), actor.owner)
            for actor in staging.actors
            if actor.first_frame <= frame <= actor.last_frame
        ]
        picture, owners = _compose(scene, [pair for pair in bodies if _near(scene.camera, pair[0])])
        picture = cv2.GaussianBlur(picture, (0, 0), blur_px)
        gains = light.gains(now) * staging.gain(frame)
        yield _expose(picture, gains, options.noise_sigma, noise), owners


def _near(camera: SceneCamera, body: Body) -> bool:
    return abs(body.x) < camera.half_width_m(body.z) + OFF_STAGE_M


def _compose(scene: Backdrop, bodies: list[tuple[Body, int]]) -> tuple[Image, Owners]:
    """Shadows first, then everything from far to near; nearer things hide what is marked."""
    shade = shadow_map(scene.camera, [body for body, _ in bodies])
    picture = _shadowed(scene.picture, cv2.multiply(shade, scene.sunlit, scale=1 / 255))
    owners = np.zeros(scene.camera.size_hw, np.uint8)
    layers = [(depth, sprite, 0) for depth, sprite in scene.standing]
    for body, owner in bodies:
        sprite = draw_body(scene.camera, body)
        if sprite is not None:
            layers.append((body.z, _before(scene.walls, body.z, sprite), owner))
    for _, sprite, owner in sorted(layers, key=lambda layer: -layer[0]):
        blend(picture, sprite)
        owners[sprite.window][sprite.solid()] = owner
    return picture, owners


def _before(walls: Floats | None, depth_m: float, sprite: Sprite) -> Sprite:
    """What walls leave of a sprite at a depth."""
    if walls is None:
        return sprite
    hidden = walls[sprite.window] < depth_m
    if not hidden.any():
        return sprite
    return replace(sprite, rgba=np.where(hidden[..., np.newaxis], np.uint8(0), sprite.rgba))


def _shadowed(picture: Image, shade: Image) -> Image:
    """Take the sun away where ``shade`` (H, W) is 255; a copy."""
    levels = np.arange(256)[:, np.newaxis] / 255 * SHADOW_RGB  # (256, 3)
    table = np.rint(255 * (1 - levels)).astype(np.uint8)[np.newaxis]  # (1, 256, 3)
    left = cv2.LUT(cv2.merge([shade, shade, shade]), table)
    return np.asarray(cv2.multiply(picture, left, scale=1 / 255))


def _expose(
    picture: Image, gains: npt.NDArray[np.float64], sigma: float, rng: np.random.Generator
) -> Image:
    """What the sensor makes of the light: brightness, colour and noise, clipped."""
    table = (np.arange(256)[:, np.newaxis] * gains).astype(np.float32)[np.newaxis]
    lit = cv2.LUT(picture, table)  # (H, W, 3) float32
    grain = rng.standard_normal(lit.shape, dtype=np.float32)
    return np.asarray(cv2.addWeighted(lit, 1.0, grain, sigma, 0.0, dtype=cv2.CV_8U))
